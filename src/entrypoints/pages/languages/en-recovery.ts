import { counted } from './counted.ts';
import { enEnrolmentLink } from './en-enrolment.ts';
import { enFactorNotices } from './en-factors.ts';

/** The texts of account recovery, and of mail about accounts. */
export const enRecovery = {
  forgotPassword: {
    link: 'Forgot your password?',
    title: 'Reset your password',
    intro: 'Enter your e-mail address or username. You get an e-mail with a link to choose a new password.',
    submit: 'Send link',
    incomplete: 'Enter your e-mail address or username.',
    throttled: (p: { minutes: number }) =>
      `Too many requests. Wait ${counted(p.minutes, 'minute', 'minutes')} and try again.`,
    sent: 'Check your e-mail',
    sentNote:
      'If there is an account with this name or address and its e-mail address is verified, a link is on its way to it. It works once, within 30 minutes.',
    sentNothing:
      'No e-mail after a few minutes? Check your spam folder, or ask an administrator for a link to choose a new password.',
    noMail:
      'This server cannot send e-mail. Ask an administrator for a link to choose a new password: they create it in the console, on the page of your account.',
    back: 'Back to sign-in',
  },

  signUp: {
    link: 'Create an account',
    newHere: 'New here?',
    title: 'Create your account',
    intro: 'Enter your e-mail address. You get an e-mail with a link to create your account.',
    email: 'E-mail address',
    submit: 'Send link',
    incomplete: 'Enter an e-mail address, such as name@example.com.',
    otherDomain:
      'Accounts cannot be created with addresses of this domain. Use another address, or ask an administrator.',
    throttled: (p: { minutes: number }) =>
      `Too many requests. Wait ${counted(p.minutes, 'minute', 'minutes')} and try again.`,
    sent: 'Check your e-mail',
    sentNote:
      'An e-mail is on its way to you. Open the link in it in this browser, within an hour, to create your account.',
    sentNothing: 'No e-mail after a few minutes? Check the address you entered, and your spam folder.',
    back: 'Back to sign-in',
    verified: (p: { email: string }) => `${p.email} is verified. Choose how you sign in.`,
    username: 'Username',
    usernameHint: 'You sign in with it, or with your e-mail address.',
    name: 'Name',
    create: 'Create account',
    taken: 'This username is taken. Choose another one.',
  },

  ownAccount: {
    email: 'Change your e-mail address',
    emailNow: (p: { email: string }) => `Your e-mail address is ${p.email}.`,
    emailNone: 'Your account has no e-mail address.',
    emailNew: 'New e-mail address',
    emailNote:
      'You get an e-mail with a link at the new address. It takes effect once you have opened the link in this browser or one where you are signed in. Your previous address is notified and can undo the change for 7 days.',
    emailNoMail: 'This server cannot send e-mail. Ask an administrator to change your address.',
    emailSubmit: 'Send link',
    deleteHeading: (p: { brand: string }) => `Delete your ${p.brand} account?`,
    deleteNote: 'This cannot be undone, not even by an administrator. You can download your data first.',
    deleteSessions: (p: { count: number }) => counted(p.count, 'session', 'sessions'),
    deleteSessionsNote: 'You are signed out everywhere, and apps are signed out with them.',
    deleteApps: (p: { count: number }) => counted(p.count, 'connection of an app', 'connections of apps'),
    deleteAppsNote: 'Apps lose their access. What apps store about you themselves is not deleted.',
    deleteKeys: 'Your API keys, roles and sign-in methods',
    deleteKeysNote: 'Keys are refused immediately.',
    deleteDetails: 'Your name, username and e-mail address',
    deleteDetailsNote:
      'They are erased, with the IP addresses and browsers of your activity. What happened stays in the audit log, without them.',
    deleteSubmit: 'Delete account',
    notices: {
      'email-requested':
        'Check your e-mail: the new address takes effect once you have opened the link that was sent to it.',
      'email-changed': 'Your e-mail address is changed.',
    },
  },

  emailLink: {
    confirm: 'Confirm your e-mail address',
    confirmNote: (p: { email: string }) => `Use ${p.email} as the e-mail address of your account?`,
    confirmSubmit: 'Confirm address',
    undo: 'Undo the change of your e-mail address?',
    undoNote: (p: { email: string }) =>
      `The e-mail address of your account is ${p.email} again, and every browser and app is signed out.`,
    undoSubmit: 'Undo change',
    undone: 'Change undone',
    undoneNote: (p: { email: string }) =>
      `The e-mail address of your account is ${p.email} again, and every browser and app is signed out. If you did not change it, someone knows your password: reset it now.`,
    reset: 'Reset your password',
  },

  mail: {
    links: {
      choose_password: {
        subject: (p: { brand: string }) => `Choose your password for ${p.brand}`,
        text: (p: { brand: string }) => `Choose your password for ${p.brand}:`,
      },
      add_second_factor: enEnrolmentLink,
      confirm_email: {
        subject: (p: { brand: string }) => `Confirm your e-mail address for ${p.brand}`,
        text: (p: { brand: string }) =>
          `Someone asked to use this address for their account at ${p.brand}. If it was you, open this link in a browser where you are signed in. If not, ignore this e-mail.`,
      },
      sign_up: {
        subject: (p: { brand: string }) => `Create your account at ${p.brand}`,
        text: (p: { brand: string }) =>
          `Someone asked to create an account at ${p.brand} with this address. If it was you, create it with this link. If not, ignore this e-mail: there is no account until the link is used.`,
      },
      recover_password: {
        subject: (p: { brand: string }) => `Reset your password for ${p.brand}`,
        text: (p: { brand: string }) =>
          `Someone asked to reset your password for ${p.brand}. If it was you, choose a new password with this link. If not, ignore this e-mail: your password does not change.`,
      },
    },
    signInCode: {
      subject: (p: { brand: string }) => `Your code to sign in to ${p.brand}`,
      text: (p: { brand: string; code: string; time: string }) =>
        `Your code to sign in to ${p.brand}: ${p.code} – it works once, until ${p.time} UTC, in the browser in which you asked for it. Do not share it. If you did not ask for it, ignore this e-mail.`,
    },
    linkUntil: (p: { day: string; time: string }) => `The link works once, until ${p.day}, ${p.time} UTC.`,
    notices: {
      new_browser: {
        subject: (p: { brand: string }) => `New sign-in to ${p.brand}`,
        text: (p: { brand: string; account: string; day: string; time: string; address: string; browser: string }) =>
          `Someone signed in to your account ${p.account} at ${p.brand} with a browser that was not used for it before: ${p.browser}, from the address ${p.address}, on ${p.day}, ${p.time} UTC. If it was you, ignore this e-mail. If not, change your password and sign out everywhere in your account, and tell an administrator.`,
      },
      password_changed: {
        subject: (p: { brand: string }) => `Your password for ${p.brand} was changed`,
        text: (p: { brand: string; account: string; day: string; time: string }) =>
          `The password of your account ${p.account} at ${p.brand} was changed on ${p.day}, ${p.time} UTC. If it was not you, reset your password on the sign-in page now, and tell an administrator.`,
      },
      email_changed: {
        subject: (p: { brand: string }) => `Your e-mail address for ${p.brand} was changed`,
        text: (p: { brand: string; account: string; day: string; time: string }) =>
          `The e-mail address of your account ${p.account} at ${p.brand} was changed on ${p.day}, ${p.time} UTC. If it was not you, undo the change with this link. It restores this address and signs out every browser and app.`,
      },
      account_deleted: {
        subject: (p: { brand: string }) => `Your account at ${p.brand} was deleted`,
        text: (p: { brand: string; account: string; day: string; time: string }) =>
          `Your account ${p.account} at ${p.brand} was deleted on ${p.day}, ${p.time} UTC, at its owner’s request. Your personal data is erased.`,
      },
      account_exists: {
        subject: (p: { brand: string }) => `You have an account at ${p.brand}`,
        text: (p: { brand: string; account: string; day: string; time: string }) =>
          `Someone asked on ${p.day}, ${p.time} UTC, to create an account at ${p.brand} with the address ${p.account}. There is one already: sign in as before, or reset your password on the sign-in page. If it was not you, ignore this e-mail.`,
      },
      ...enFactorNotices,
      test: {
        subject: (p: { brand: string }) => `Test e-mail from ${p.brand}`,
        text: (p: { brand: string; account: string; day: string; time: string }) =>
          `This is a test e-mail from ${p.brand}. ${p.account} requested it on ${p.day}, ${p.time} UTC. Sending e-mail works.`,
      },
    },
    leakSubject: (p: { brand: string }) => `Your credential at ${p.brand} was leaked`,
    leak: (p: { brand: string }) => `A credential that you own at ${p.brand} was found in public:`,
    leakActive:
      'It is still active, because this server is configured to report leaks only. Revoke it, or ask an administrator to revoke it, as soon as you can.',
    leakRevoked: 'It has been revoked. Replace it wherever it was used.',
    leakRecords: 'An administrator can see in the access records how it was used.',
  },
};
