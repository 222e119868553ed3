type Provider = { provider: string };

/** The texts of signing in with identity providers. */
export const enProviders = {
  providers: {
    or: 'or',
    continueWith: (p: Provider) => `Continue with ${p.provider}`,
    homeRealm: (p: Provider & { domain: string }) => `Users at ${p.domain} sign in with ${p.provider}.`,
    cancelled: (p: Provider) => `You cancelled the sign-in with ${p.provider}.`,
    unavailable: (p: Provider) => `${p.provider} does not answer. Try again later, or sign in another way.`,
    invalid: (p: Provider) => `The sign-in with ${p.provider} failed. Try again, or sign in another way.`,
    expired: 'The sign-in took too long, or was started in another browser. Try again.',
    unknown: 'You can no longer sign in with this provider. Sign in another way.',
    notFresh: (p: Provider) => `${p.provider} did not ask you to prove who you are. Sign in another way.`,
    noAccount: (p: Provider) =>
      `No account is connected to this ${p.provider} account. Sign in another way and connect it under “Sign-in methods”, or ask an administrator.`,
    disabled: 'Your account is disabled. Ask an administrator.',
    administrator: (p: Provider) =>
      `Your account has administrator permissions. Administrators cannot sign in with ${p.provider} here. Sign in another way.`,
    connect: (p: Provider & { email: string }) =>
      `There is already an account with the address ${p.email}. Sign in to it to connect your ${p.provider} account.`,
    connectOther: (p: Provider) =>
      `You signed in to another account. Nothing was connected to your ${p.provider} account. Try again.`,
    title: 'Identity providers',
    note: 'Accounts elsewhere that you can sign in with.',
    none: 'You have not connected an account.',
    provider: 'Provider',
    connectTo: (p: Provider) => `Connect ${p.provider}`,
    connectNote: (p: Provider & { host: string }) =>
      `You will be able to sign in with your ${p.provider} account. Anyone who controls it, or ${p.host}, can sign in to your account here.`,
    goOn: 'Continue',
    connectNext: (p: Provider) => `Sign in to the ${p.provider} account that you want to connect.`,
    disconnect: 'Disconnect',
    disconnecting: (p: Provider) => `Disconnect ${p.provider}?`,
    disconnectNote: 'You can no longer sign in with it, until you connect it again.',
    disconnectImpact: 'disconnected; every session that began with it is revoked',
    lastWay:
      'You have no other way to sign in. Add a passkey first, or choose a password with a link from an administrator.',
    confirmWith: (p: Provider) => `Confirm with ${p.provider}`,
    confirmNote: 'Confirm that it’s you at your provider. You return to this page.',
    notices: {
      'provider-connected': 'The account is connected. You can sign in with it from now on.',
      'provider-disconnected': 'The account is disconnected.',
      'provider-refused': 'The provider did not confirm it. Nothing was changed.',
      'provider-conflict': 'That account is connected to another account here, or cannot be connected to yours.',
      'provider-not-fresh': 'The provider did not ask you to prove who you are. Add a passkey to confirm with it.',
    },
    connectRefused: (p: Provider) => `This ${p.provider} account cannot be connected to your account.`,
  },
};
