const counted = (count: number, one: string, several: string) => `${count} ${count === 1 ? one : several}`;

/** The texts of getting back into an account, and of mail about accounts. */
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
      'If there is an account for what you entered and its e-mail address is verified, a link is on its way to that address. It works once, within 30 minutes.',
    sentNothing:
      'No e-mail after a few minutes? Check your spam folder, or ask an administrator for a link to choose a new password.',
    noMail:
      'This server cannot send e-mail. Ask an administrator for a link to choose a new password: they create it in the console, on the page of your account.',
    back: 'Back to sign-in',
  },

  mail: {
    links: {
      choose_password: {
        subject: (p: { brand: string }) => `Choose your password for ${p.brand}`,
        text: (p: { brand: string }) => `Choose your password for ${p.brand}:`,
      },
      recover_password: {
        subject: (p: { brand: string }) => `Reset your password for ${p.brand}`,
        text: (p: { brand: string }) =>
          `Someone asked to reset your password for ${p.brand}. If it was you, choose a new password with this link. If not, ignore this e-mail: your password stays as it is.`,
      },
    },
    linkUntil: (p: { day: string; time: string }) => `The link works once, until ${p.day}, ${p.time} UTC.`,
    notices: {
      password_changed: {
        subject: (p: { brand: string }) => `Your password for ${p.brand} was changed`,
        text: (p: { brand: string; account: string; day: string; time: string }) =>
          `The password of your account ${p.account} at ${p.brand} was changed on ${p.day}, ${p.time} UTC. If it was not you, reset your password on the sign-in page now, and tell an administrator.`,
      },
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
