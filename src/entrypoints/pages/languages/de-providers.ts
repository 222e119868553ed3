import type { enProviders } from './en-providers.ts';

export const deProviders: typeof enProviders = {
  providers: {
    or: 'oder',
    continueWith: (p) => `Weiter mit ${p.provider}`,
    homeRealm: (p) => `Konten bei ${p.domain} melden sich mit ${p.provider} an.`,
    cancelled: (p) => `Sie haben die Anmeldung mit ${p.provider} abgebrochen.`,
    unavailable: (p) =>
      `${p.provider} antwortet nicht. Versuchen Sie es später erneut, oder melden Sie sich anders an.`,
    invalid: (p) =>
      `Die Anmeldung mit ${p.provider} ist fehlgeschlagen. Versuchen Sie es erneut, oder melden Sie sich anders an.`,
    expired:
      'Die Anmeldung hat zu lange gedauert oder wurde in einem anderen Browser begonnen. Versuchen Sie es erneut.',
    unknown: 'Mit diesem Anbieter können Sie sich nicht mehr anmelden. Melden Sie sich anders an.',
    notFresh: (p) =>
      `${p.provider} hat Sie nicht erneut nach einem Nachweis gefragt. Melden Sie sich auf andere Weise an.`,
    noAccount: (p) =>
      `Mit diesem Konto bei ${p.provider} ist hier kein Konto verbunden. Melden Sie sich anders an und verbinden Sie es unter „Anmeldeverfahren“, oder fragen Sie die Administration.`,
    disabled: 'Ihr Konto ist deaktiviert. Fragen Sie die Administration.',
    administrator: (p) =>
      `Ihr Konto hat Berechtigungen der Administration, die sich hier nicht mit ${p.provider} anmelden kann. Melden Sie sich anders an.`,
    connect: (p) =>
      `Es gibt bereits ein Konto mit der Adresse ${p.email}. Melden Sie sich dort an, um Ihr Konto bei ${p.provider} zu verbinden.`,
    connectOther: (p) =>
      `Sie haben sich mit einem anderen Konto angemeldet. Ihr Konto bei ${p.provider} wurde nicht verbunden. Versuchen Sie es erneut.`,
    title: 'Identitätsanbieter',
    note: 'Konten bei anderen Anbietern, mit denen Sie sich anmelden können.',
    none: 'Sie haben kein Konto verbunden.',
    provider: 'Anbieter',
    connectTo: (p) => `${p.provider} verbinden`,
    connectNote: (p) =>
      `Sie können sich dann mit Ihrem Konto bei ${p.provider} anmelden. Wer über dieses Konto oder über ${p.host} verfügt, kann sich hier in Ihrem Konto anmelden.`,
    goOn: 'Weiter',
    connectNext: (p) => `Melden Sie sich mit dem Konto bei ${p.provider} an, das Sie verbinden möchten.`,
    disconnect: 'Trennen',
    disconnecting: (p) => `${p.provider} trennen?`,
    disconnectNote: 'Sie können sich damit nicht mehr anmelden, bis Sie es wieder verbinden.',
    disconnectImpact: 'getrennt, und jede Sitzung, die damit begonnen hat, widerrufen',
    lastWay:
      'Sie haben keine andere Möglichkeit, sich anzumelden. Fügen Sie zuerst einen Passkey hinzu, oder wählen Sie mit einem Link der Administration ein Passwort.',
    confirmWith: (p) => `Mit ${p.provider} bestätigen`,
    confirmNote:
      'Bestätigen Sie dort, wo Sie sich anmelden, dass Sie es sind. Danach kommen Sie auf diese Seite zurück.',
    notices: {
      'provider-connected': 'Das Konto ist verbunden. Sie können sich ab jetzt damit anmelden.',
      'provider-disconnected': 'Das Konto ist getrennt.',
      'provider-refused': 'Der Anbieter hat es nicht bestätigt. Es wurde nichts geändert.',
      'provider-conflict':
        'Dieses Konto ist hier mit einem anderen Konto verbunden oder kann nicht mit Ihrem verbunden werden.',
      'provider-not-fresh':
        'Der Anbieter hat Sie nicht erneut nach einem Nachweis gefragt. Fügen Sie einen Passkey hinzu, um damit zu bestätigen.',
    },
    connectRefused: (p) => `Dieses Konto bei ${p.provider} kann nicht mit Ihrem Konto verbunden werden.`,
  },
};
