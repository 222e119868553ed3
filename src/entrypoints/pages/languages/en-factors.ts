import { counted } from './counted.ts';

type NoticeParts = { brand: string; account: string; day: string; time: string };

/** @param what happened to the account that follows in the sentence */
const notice = (what: string) => ({
  subject: (p: { brand: string }) => `How you sign in to ${p.brand} has changed`,
  text: (p: NoticeParts) =>
    `${what} your account ${p.account} at ${p.brand} on ${p.day}, ${p.time} UTC. If it was not you, change your password, remove the sign-in methods that you don’t recognize, and tell an administrator.`,
});

/** The mail about a changed sign-in method. */
export const enFactorNotices = {
  passkey_added: notice('A passkey was added to'),
  passkey_removed: notice('A passkey was removed from'),
  totp_added: notice('An authenticator app was set up for'),
  totp_removed: notice('The authenticator app was removed from'),
  recovery_codes_created: notice('New recovery codes were created for'),
  recovery_code_used: notice('A recovery code was used for'),
  factors_reset: notice('An administrator removed the passkeys, the authenticator app and the recovery codes of'),
  identity_linked: notice('An account of an identity provider was connected to'),
  identity_unlinked: notice('An account of an identity provider was disconnected from'),
};

/** The texts of passkeys, one-time codes and recovery codes. */
export const enFactors = {
  secondStep: {
    heading: 'Confirm that it’s you',
    code: 'Code',
    codeHint: 'The code that your authenticator app shows, or one of your recovery codes.',
    recoveryCode: 'Recovery code',
    recoveryHint: 'If you don’t have your passkey with you, enter one of your recovery codes.',
    submit: 'Continue',
    usePasskey: 'Use a passkey',
    withPasskey: 'Sign in with a passkey',
    noneAllowed: 'None of your sign-in methods is allowed any more. Ask an administrator to reset them.',
    remember: (p: { days: number }) =>
      `Don’t ask for this in this browser again for ${counted(p.days, 'day', 'days')}. Only on a device that is yours.`,
    passkeyFailed: 'The passkey was not used. Try again, or choose another way.',
    incomplete: 'Enter a code.',
    wrongCode: 'The code is wrong, or it was used before. Wait for the next one and try again.',
    wrongPasskey: 'This passkey was not accepted. Try again, or choose another way.',
    expired: 'This took too long, or your password was changed. Sign in again.',
    throttled: (p: { minutes: number }) =>
      `There were too many attempts. Wait ${counted(p.minutes, 'minute', 'minutes')} and try again.`,
    required: (p: { app: string }) => `${p.app} asks you to sign in with a second factor or a passkey.`,
    accepts: (p: { app: string; methods: string }) =>
      `${p.app} accepts only: ${p.methods}. If you have none of these, add one in your account under Sign-in methods first, or ask an administrator.`,
    methods: {
      password: 'password',
      passkey: 'passkey',
      totp: 'code of an authenticator app',
      recovery_code: 'recovery code',
      provider: 'identity provider',
      email_code: 'code by e-mail',
    },
    unmet: (p: { app: string }) =>
      `${p.app} requires a second factor. Set up an authenticator app or a passkey in your account first, or cancel.`,
    unmetPasskey: (p: { app: string }) =>
      `${p.app} requires a passkey. Sign in with one, or add one in your account first, or cancel.`,
  },

  emailCode: {
    send: 'Send me a code by e-mail',
    heading: 'Check your e-mail',
    note: 'If there is an account with a verified e-mail address, a code is on its way to it. It works once, within ten minutes, in this browser.',
    code: 'Code from the e-mail',
    hint: 'Ten letters and digits.',
    submit: 'Sign in',
    again: 'Ask for another code, or sign in another way',
    incomplete: 'Enter your e-mail address or username.',
    wrong: 'The code is wrong, was used before, or has expired. After five wrong codes, ask for another one.',
    expired: 'This took too long. Ask for another code.',
    throttled: (p: { minutes: number }) =>
      `There were too many attempts. Wait ${counted(p.minutes, 'minute', 'minutes')} and try again.`,
  },

  browsers: {
    title: 'Browsers without the second factor',
    note: 'In these browsers your password is enough. All of them ask for the second factor again when you change your password or a sign-in method, or sign out everywhere.',
    browser: 'Browser',
    until: 'Until',
    forget: 'Ask again',
    forgetting: (p: { name: string }) => `Ask for the second factor in ${p.name} again?`,
    forgetNote: 'You stay signed in there. The second factor is asked for at the next sign-in.',
  },

  security: {
    title: 'Sign-in methods',
    note: 'Your password, passkeys, authenticator app and recovery codes',
    intro: 'You can sign in with these methods.',
    introMail: 'You can sign in with these methods. You get an e-mail when one of them changes.',
    password: 'Password',
    changePassword: 'Change password',
    passkeys: 'Passkeys',
    passkeysNote:
      'A passkey signs you in with the screen lock of your device, such as a fingerprint. It works only on this site, and not on imitations of it.',
    noPasskeys: 'You have no passkeys.',
    passkeysOff: 'Passkeys need a domain name. This server is reached by an IP address.',
    name: 'Name',
    added: 'Added',
    lastUsed: 'Last used',
    kept: 'Stored',
    synced: 'Synced between devices',
    onDevice: 'On one device',
    addPasskey: 'Add a passkey',
    addPasskeyNote:
      'Your browser asks you to confirm with the screen lock of this device or your phone, or with a security key.',
    passkeyName: 'Name of the passkey',
    passkeyNameHint: 'To tell it from others, such as “Laptop”.',
    passkeyRefused: 'The browser’s answer was not accepted. Try again.',
    rename: 'Rename',
    renaming: (p: { name: string }) => `Rename the passkey “${p.name}”`,
    save: 'Save',
    remove: 'Remove',
    removing: (p: { name: string }) => `Remove the passkey “${p.name}”?`,
    removeNote: 'You can no longer sign in with it. Delete it on your device, too.',
    lastNote:
      'It is your last sign-in method besides your password: after this, your password alone signs you in, and your recovery codes are deleted.',
    removeSubmit: 'Remove it',
    app: 'Authenticator app',
    appNote:
      'An app on your phone shows a new six-digit code every 30 seconds. You are asked for it after your password.',
    noApp: 'No authenticator app is set up.',
    setUp: 'Set up an authenticator app',
    setUpNote:
      'Scan the QR code with your authenticator app, or enter the key in it. Then enter the code that the app shows.',
    key: 'Key',
    code: 'Code',
    codeHint: 'The six digits that the app shows now.',
    setUpSubmit: 'Set up',
    setUpExpired: 'This page was open for too long. Scan the new QR code.',
    removingApp: 'Remove the authenticator app?',
    recovery: 'Recovery codes',
    recoveryNote: 'Each code replaces your passkey or app once, when you don’t have it with you.',
    recoveryLeft: (p: { count: number }) => `${counted(p.count, 'code', 'codes')} left`,
    noRecovery: 'You have no recovery codes.',
    recoveryLater: 'You can create recovery codes once you have a passkey or an authenticator app.',
    createCodes: 'Create recovery codes',
    createCodesNote: 'You get ten new codes. Your earlier codes stop working.',
    createCodesSubmit: 'Create codes',
    codesMade: 'Your recovery codes',
    codesMadeNote:
      'Print them or keep them in a password manager. Only digests of them are stored, so they are shown once.',
    confirm: 'First confirm that it’s you.',
    proveCode: 'Code from your app, or a recovery code',
    proveRecovery: 'Recovery code',
    proveHint: 'You last confirmed that it’s you more than ten minutes ago.',
    provePasskey: 'Confirm with a passkey',
    enterProof: 'Enter a code, or use your passkey.',
    wrongProof: 'That was not accepted. Try again.',
    notices: {
      'passkey-added': 'The passkey is added. You can sign in with it from now on.',
      'passkey-renamed': 'The passkey is renamed.',
      'app-added':
        'The authenticator app is set up. You are asked for a code when you sign in. Now create recovery codes.',
      'method-removed': 'The sign-in method is removed.',
      'browser-forgotten': 'You are asked for the second factor in that browser again.',
      'method-required': 'Your account needs a passkey. Add one to continue.',
    },
  },
};
