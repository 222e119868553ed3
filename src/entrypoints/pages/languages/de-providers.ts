import type { enProviders } from './en-providers.ts';

export const deProviders: typeof enProviders = {
  providers: {
    or: 'oder',
    continueWith: (p) => `Weiter mit ${p.provider}`,
    homeRealm: (p) => `Benutzer mit Adressen bei ${p.domain} melden sich mit ${p.provider} an.`,
    cancelled: (p) => `Sie haben die Anmeldung mit ${p.provider} abgebrochen.`,
    unavailable: (p) =>
      `${p.provider} antwortet nicht. Versuchen Sie es später erneut, oder melden Sie sich anders an.`,
    invalid: (p) =>
      `Die Anmeldung mit ${p.provider} ist fehlgeschlagen. Versuchen Sie es erneut, oder melden Sie sich anders an.`,
    expired:
      'Die Anmeldung hat zu lange gedauert oder wurde in einem anderen Browser begonnen. Versuchen Sie es erneut.',
    unknown: 'Mit diesem Anbieter können Sie sich nicht mehr anmelden. Melden Sie sich anders an.',
    notFresh: (p) => `${p.provider} hat Ihre Identität nicht erneut geprüft. Melden Sie sich anders an.`,
    noAccount: (p) =>
      `Mit diesem Konto bei ${p.provider} ist hier kein Konto verbunden. Melden Sie sich anders an und verbinden Sie es unter „Anmeldeverfahren“, oder wenden Sie sich an die Administration.`,
    disabled: 'Ihr Konto ist deaktiviert. Wenden Sie sich an die Administration.',
    administrator: (p) =>
      `Ihr Konto hat Administratorberechtigungen. Mit solchen Konten ist die Anmeldung mit ${p.provider} hier nicht möglich. Melden Sie sich anders an.`,
    connect: (p) =>
      `Es gibt bereits ein Konto mit der Adresse ${p.email}. Melden Sie sich mit diesem Konto an, um Ihr Konto bei ${p.provider} damit zu verbinden.`,
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
    disconnectImpact: 'getrennt; jede Sitzung, die damit begonnen hat, wird widerrufen',
    lastWay:
      'Sie haben keine andere Möglichkeit, sich anzumelden. Fügen Sie zuerst einen Passkey hinzu, oder legen Sie mit einem Link der Administration ein Passwort fest.',
    confirmWith: (p) => `Mit ${p.provider} bestätigen`,
    confirmNote: 'Bestätigen Sie bei Ihrem Anbieter, dass Sie es sind. Danach kehren Sie auf diese Seite zurück.',
    notices: {
      'provider-connected': 'Das Konto wurde verbunden. Sie können sich ab jetzt damit anmelden.',
      'provider-disconnected': 'Das Konto wurde getrennt.',
      'provider-refused': 'Der Anbieter hat es nicht bestätigt. Es wurde nichts geändert.',
      'provider-conflict':
        'Dieses Konto ist hier mit einem anderen Konto verbunden oder kann nicht mit Ihrem verbunden werden.',
      'provider-not-fresh':
        'Der Anbieter hat Ihre Identität nicht erneut geprüft. Fügen Sie einen Passkey hinzu, um damit zu bestätigen.',
    },
    connectRefused: (p) => `Dieses Konto bei ${p.provider} kann nicht mit Ihrem Konto verbunden werden.`,
  },
};
