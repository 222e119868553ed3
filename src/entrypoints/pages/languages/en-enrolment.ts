/** The texts of adding a second factor because the sign-in policy requires one. */
export const enEnrolment = {
  enrolment: {
    required: 'A second factor is required',
    requiredNote:
      'Your account also needs a passkey or an authenticator app. Your sign-in alone is not enough to add one, because someone else could sign in the same way.',
    requiredPasskey:
      'Your account needs a passkey. Your sign-in alone is not enough to add one, because someone else could sign in the same way.',
    offer: 'You get an e-mail with a link to add it. The link works once, within 30 minutes.',
    sendLink: 'Send link',
    sent: 'Check your e-mail',
    sentNote:
      'A link is on its way to the e-mail address of your account. It works once, within 30 minutes. Then sign in again.',
    ask: 'Ask an administrator for a link to add a second factor: they create it in the console, on the page of your account.',
    throttled: 'There were too many requests. Wait a few minutes and try again.',
    title: 'Add a second factor',
    note: (p: { name: string }) => `For ${p.name}. You are asked for it when you sign in from now on.`,
    signInFirst:
      'First sign in with your identity provider in this browser, as you usually do. Then open this link again within 30 minutes.',
    password: 'Your password',
    passkey: 'Add a passkey',
    passkeyNote:
      'Enter your password, then confirm with the screen lock of this device or your phone, or with a security key.',
    passkeyName: 'Passkey',
    app: 'Authenticator app',
    noPasskey:
      'Your account needs a passkey, and this browser cannot create one without JavaScript. Use another browser, or ask an administrator.',
  },
};

/** The mail with the link. */
export const enEnrolmentLink = {
  subject: (p: { brand: string }) => `Add a second factor for ${p.brand}`,
  text: (p: { brand: string }) =>
    `Someone signed in to your account at ${p.brand}, and needs a second factor. If it was you, add one with this link. If not, someone else can sign in as you: do not open the link, and change your password now.`,
};
