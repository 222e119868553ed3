import { counted } from './counted.ts';
import type { enFactorNotices, enFactors } from './en-factors.ts';

type Notice = (typeof enFactorNotices)['passkey_added'];

const notice = (what: Notice['text']): Notice => ({
  subject: (p) => `Ihre Anmeldung bei ${p.brand} hat sich geändert`,
  text: (p) =>
    `${what(p)} Wenn Sie es nicht waren, ändern Sie Ihr Passwort, entfernen Sie die Anmeldeverfahren, die Sie nicht kennen, und informieren Sie die Administration.`,
});

export const deFactorNotices: typeof enFactorNotices = {
  passkey_added: notice(
    (p) => `Ihrem Konto ${p.account} bei ${p.brand} wurde am ${p.day}, ${p.time} UTC ein Passkey hinzugefügt.`,
  ),
  passkey_removed: notice(
    (p) => `Aus Ihrem Konto ${p.account} bei ${p.brand} wurde am ${p.day}, ${p.time} UTC ein Passkey entfernt.`,
  ),
  totp_added: notice(
    (p) =>
      `Für Ihr Konto ${p.account} bei ${p.brand} wurde am ${p.day}, ${p.time} UTC eine Authenticator-App eingerichtet.`,
  ),
  totp_removed: notice(
    (p) =>
      `Aus Ihrem Konto ${p.account} bei ${p.brand} wurde am ${p.day}, ${p.time} UTC die Authenticator-App entfernt.`,
  ),
  recovery_codes_created: notice(
    (p) =>
      `Für Ihr Konto ${p.account} bei ${p.brand} wurden am ${p.day}, ${p.time} UTC neue Wiederherstellungscodes erstellt. Frühere gelten nicht mehr.`,
  ),
  recovery_code_used: notice(
    (p) =>
      `Für Ihr Konto ${p.account} bei ${p.brand} wurde am ${p.day}, ${p.time} UTC ein Wiederherstellungscode verwendet. Er gilt nicht mehr.`,
  ),
  factors_reset: notice(
    (p) =>
      `Die Administration hat am ${p.day}, ${p.time} UTC die Passkeys, die Authenticator-App und die Wiederherstellungscodes Ihres Kontos ${p.account} bei ${p.brand} entfernt.`,
  ),
  identity_linked: notice(
    (p) =>
      `Mit Ihrem Konto ${p.account} bei ${p.brand} wurde am ${p.day}, ${p.time} UTC ein Konto eines Identitätsanbieters verbunden.`,
  ),
  identity_unlinked: notice(
    (p) =>
      `Von Ihrem Konto ${p.account} bei ${p.brand} wurde am ${p.day}, ${p.time} UTC ein Konto eines Identitätsanbieters getrennt.`,
  ),
};

export const deFactors: typeof enFactors = {
  secondStep: {
    heading: 'Bestätigen Sie, dass Sie es sind',
    code: 'Code',
    codeHint: 'Der Code, den Ihre Authenticator-App anzeigt, oder einer Ihrer Wiederherstellungscodes.',
    recoveryCode: 'Wiederherstellungscode',
    recoveryHint: 'Wenn Sie Ihren Passkey nicht dabeihaben, geben Sie einen Ihrer Wiederherstellungscodes ein.',
    submit: 'Weiter',
    usePasskey: 'Passkey verwenden',
    withPasskey: 'Mit einem Passkey anmelden',
    noneAllowed:
      'Keines der Anmeldeverfahren Ihres Kontos ist noch erlaubt. Bitten Sie die Administration, sie zurückzusetzen.',
    remember: (p) =>
      `In diesem Browser ${p.days === 1 ? 'einen Tag' : `${p.days} Tage`} lang nicht mehr danach fragen. Nur auf einem Gerät, das Ihnen gehört.`,
    passkeyFailed:
      'Der Passkey wurde nicht verwendet. Versuchen Sie es erneut, oder wählen Sie eine andere Möglichkeit.',
    incomplete: 'Geben Sie einen Code ein.',
    wrongCode:
      'Der Code ist falsch oder wurde schon verwendet. Warten Sie auf den nächsten und versuchen Sie es erneut.',
    wrongPasskey:
      'Dieser Passkey wurde nicht akzeptiert. Versuchen Sie es erneut, oder wählen Sie eine andere Möglichkeit.',
    expired: 'Das hat zu lange gedauert, oder Ihr Passwort wurde geändert. Melden Sie sich erneut an.',
    throttled: (p) =>
      `Zu viele Versuche. Warten Sie ${counted(p.minutes, 'Minute', 'Minuten')} und versuchen Sie es erneut.`,
    required: (p) => `${p.app} bittet Sie, sich mit einem zweiten Faktor oder einem Passkey anzumelden.`,
    accepts: (p) =>
      `${p.app} akzeptiert nur: ${p.methods}. Wenn Sie keines dieser Verfahren haben, fügen Sie zuerst in Ihrem Konto unter „Anmeldeverfahren“ eines hinzu, oder wenden Sie sich an die Administration.`,
    methods: {
      password: 'Passwort',
      passkey: 'Passkey',
      totp: 'Code einer Authenticator-App',
      recovery_code: 'Wiederherstellungscode',
      provider: 'Identitätsanbieter',
      email_code: 'Code per E-Mail',
    },
    unmet: (p) =>
      `${p.app} verlangt einen zweiten Faktor. Richten Sie zuerst in Ihrem Konto eine Authenticator-App oder einen Passkey ein, oder brechen Sie ab.`,
    unmetPasskey: (p) =>
      `${p.app} verlangt einen Passkey. Melden Sie sich mit einem an, fügen Sie zuerst in Ihrem Konto einen hinzu, oder brechen Sie ab.`,
  },

  emailCode: {
    send: 'Code per E-Mail senden',
    heading: 'Prüfen Sie Ihre E-Mails',
    note: 'Wenn es ein Konto mit einer bestätigten E-Mail-Adresse gibt, ist ein Code dorthin unterwegs. Er funktioniert einmal, innerhalb von zehn Minuten, in diesem Browser.',
    code: 'Code aus der E-Mail',
    hint: 'Zehn Buchstaben und Ziffern.',
    submit: 'Anmelden',
    again: 'Neuen Code anfordern oder sich anders anmelden',
    incomplete: 'Geben Sie Ihre E-Mail-Adresse oder Ihren Benutzernamen ein.',
    wrong:
      'Der Code ist falsch, wurde schon verwendet oder ist abgelaufen. Fordern Sie nach fünf falschen Codes einen neuen an.',
    expired: 'Das hat zu lange gedauert. Fordern Sie einen neuen Code an.',
    throttled: (p) =>
      `Zu viele Versuche. Warten Sie ${counted(p.minutes, 'Minute', 'Minuten')} und versuchen Sie es erneut.`,
  },

  browsers: {
    title: 'Browser ohne zweiten Faktor',
    note: 'In diesen Browsern genügt Ihr Passwort. In allen wird wieder nach dem zweiten Faktor gefragt, wenn Sie Ihr Passwort oder ein Anmeldeverfahren ändern oder sich überall abmelden.',
    browser: 'Browser',
    until: 'Bis',
    forget: 'Wieder fragen',
    forgetting: (p) => `In ${p.name} wieder nach dem zweiten Faktor fragen?`,
    forgetNote: 'Sie bleiben dort angemeldet. Bei der nächsten Anmeldung wird nach dem zweiten Faktor gefragt.',
  },

  security: {
    title: 'Anmeldeverfahren',
    note: 'Ihr Passwort, Passkeys, Authenticator-App und Wiederherstellungscodes',
    intro: 'Mit diesen Verfahren können Sie sich anmelden.',
    introMail: 'Mit diesen Verfahren können Sie sich anmelden. Sie erhalten eine E-Mail, wenn sich eines davon ändert.',
    password: 'Passwort',
    changePassword: 'Passwort ändern',
    passkeys: 'Passkeys',
    passkeysNote:
      'Ein Passkey meldet Sie mit der Bildschirmsperre Ihres Geräts an, zum Beispiel mit dem Fingerabdruck. Er funktioniert nur auf dieser Website, auf gefälschten nicht.',
    noPasskeys: 'Sie haben keine Passkeys.',
    passkeysOff: 'Für Passkeys ist ein Domainname erforderlich. Dieser Server wird über eine IP-Adresse erreicht.',
    name: 'Name',
    added: 'Hinzugefügt',
    lastUsed: 'Zuletzt verwendet',
    kept: 'Gespeichert',
    synced: 'Auf mehreren Geräten',
    onDevice: 'Auf einem Gerät',
    addPasskey: 'Passkey hinzufügen',
    addPasskeyNote:
      'Ihr Browser bittet um Bestätigung mit der Bildschirmsperre dieses Geräts oder Ihres Telefons oder mit einem Sicherheitsschlüssel.',
    passkeyName: 'Name des Passkeys',
    passkeyNameHint: 'Damit Sie ihn von anderen unterscheiden, zum Beispiel „Laptop“.',
    passkeyRefused: 'Die Antwort des Browsers wurde nicht akzeptiert. Versuchen Sie es erneut.',
    rename: 'Umbenennen',
    renaming: (p) => `Passkey „${p.name}“ umbenennen`,
    save: 'Speichern',
    remove: 'Entfernen',
    removing: (p) => `Passkey „${p.name}“ entfernen?`,
    removeNote: 'Sie können sich nicht mehr damit anmelden. Löschen Sie ihn auch auf Ihrem Gerät.',
    lastNote:
      'Dies ist außer dem Passwort Ihr letztes Anmeldeverfahren: Danach genügt zur Anmeldung das Passwort, und Ihre Wiederherstellungscodes werden gelöscht.',
    removeSubmit: 'Entfernen',
    app: 'Authenticator-App',
    appNote:
      'Eine App auf Ihrem Telefon zeigt alle 30 Sekunden einen neuen sechsstelligen Code an. Sie werden nach dem Passwort danach gefragt.',
    noApp: 'Es ist keine Authenticator-App eingerichtet.',
    setUp: 'Authenticator-App einrichten',
    setUpNote:
      'Scannen Sie den QR-Code mit Ihrer Authenticator-App, oder geben Sie dort den Schlüssel ein. Geben Sie dann den Code ein, den die App anzeigt.',
    key: 'Schlüssel',
    code: 'Code',
    codeHint: 'Die sechs Ziffern, die die App jetzt anzeigt.',
    setUpSubmit: 'Einrichten',
    setUpExpired: 'Diese Seite war zu lange geöffnet. Scannen Sie den neuen QR-Code.',
    removingApp: 'Authenticator-App entfernen?',
    recovery: 'Wiederherstellungscodes',
    recoveryNote: 'Jeder Code ersetzt einmal Ihren Passkey oder Ihre App, wenn Sie sie nicht dabeihaben.',
    recoveryLeft: (p) => `${counted(p.count, 'Code', 'Codes')} übrig`,
    noRecovery: 'Sie haben keine Wiederherstellungscodes.',
    recoveryLater:
      'Wiederherstellungscodes können Sie erstellen, sobald Sie einen Passkey oder eine Authenticator-App haben.',
    createCodes: 'Wiederherstellungscodes erstellen',
    createCodesNote: 'Sie erhalten zehn neue Codes. Frühere Codes gelten nicht mehr.',
    createCodesSubmit: 'Codes erstellen',
    codesMade: 'Ihre Wiederherstellungscodes',
    codesMadeNote:
      'Drucken Sie sie aus, oder bewahren Sie sie in einem Passwortmanager auf. Gespeichert sind nur Hashwerte, deshalb werden die Codes nur jetzt angezeigt.',
    confirm: 'Bestätigen Sie zuerst, dass Sie es sind.',
    proveCode: 'Code aus Ihrer App oder Wiederherstellungscode',
    proveRecovery: 'Wiederherstellungscode',
    proveHint: 'Sie haben zuletzt vor mehr als zehn Minuten bestätigt, dass Sie es sind.',
    provePasskey: 'Mit einem Passkey bestätigen',
    enterProof: 'Geben Sie einen Code ein, oder verwenden Sie Ihren Passkey.',
    wrongProof: 'Das wurde nicht akzeptiert. Versuchen Sie es erneut.',
    notices: {
      'passkey-added': 'Der Passkey wurde hinzugefügt. Ab jetzt können Sie sich damit anmelden.',
      'passkey-renamed': 'Der Passkey wurde umbenannt.',
      'app-added':
        'Die Authenticator-App wurde eingerichtet. Bei der Anmeldung werden Sie nach einem Code gefragt. Erstellen Sie jetzt Wiederherstellungscodes.',
      'method-removed': 'Das Anmeldeverfahren wurde entfernt.',
      'browser-forgotten': 'In diesem Browser werden Sie wieder nach dem zweiten Faktor gefragt.',
      'method-required': 'Für Ihr Konto ist ein Passkey erforderlich. Fügen Sie einen hinzu, um fortzufahren.',
    },
  },
};
