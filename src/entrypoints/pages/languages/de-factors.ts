import type { enFactorNotices, enFactors } from './en-factors.ts';

const gezählt = (count: number, eins: string, mehrere: string) => `${count} ${count === 1 ? eins : mehrere}`;

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
    codeHint: 'Der Code, den Ihre Authenticator-App zeigt, oder einer Ihrer Wiederherstellungscodes.',
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
      'Der Passkey wurde nicht verwendet. Versuchen Sie es noch einmal, oder wählen Sie einen anderen Weg.',
    incomplete: 'Geben Sie einen Code ein.',
    wrongCode:
      'Der Code ist falsch oder wurde schon verwendet. Warten Sie auf den nächsten und versuchen Sie es noch einmal.',
    wrongPasskey:
      'Dieser Passkey wurde nicht angenommen. Versuchen Sie es noch einmal, oder wählen Sie einen anderen Weg.',
    expired: 'Das hat zu lange gedauert, oder Ihr Passwort wurde geändert. Melden Sie sich noch einmal an.',
    throttled: (p) =>
      `Es waren zu viele Versuche. Warten Sie ${gezählt(p.minutes, 'Minute', 'Minuten')} und versuchen Sie es noch einmal.`,
    required: (p) => `${p.app} bittet Sie, sich mit einem zweiten Faktor oder einem Passkey anzumelden.`,
    accepts: (p) =>
      `${p.app} akzeptiert nur: ${p.methods}. Wenn Sie nichts davon haben, fügen Sie es zuerst in Ihrem Konto unter „Anmeldeverfahren“ hinzu, oder fragen Sie die Administration.`,
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
    heading: 'Sehen Sie in Ihre E-Mails',
    note: 'Wenn es ein Konto mit einer bestätigten E-Mail-Adresse gibt, ist ein Code dorthin unterwegs. Er gilt einmal, innerhalb von zehn Minuten, in diesem Browser.',
    code: 'Code aus der E-Mail',
    hint: 'Zehn Buchstaben und Ziffern.',
    submit: 'Anmelden',
    again: 'Einen anderen Code anfordern oder sich anders anmelden',
    incomplete: 'Geben Sie Ihre E-Mail-Adresse oder Ihren Benutzernamen ein.',
    wrong:
      'Der Code ist falsch, wurde schon verwendet oder ist abgelaufen. Fordern Sie nach fünf falschen Codes einen anderen an.',
    expired: 'Das hat zu lange gedauert. Fordern Sie einen anderen Code an.',
    throttled: (p) =>
      `Es waren zu viele Versuche. Warten Sie ${gezählt(p.minutes, 'Minute', 'Minuten')} und versuchen Sie es noch einmal.`,
  },

  browsers: {
    title: 'Browser ohne zweiten Faktor',
    note: 'In diesen Browsern genügt Ihr Passwort. Alle werden wieder gefragt, wenn Sie Ihr Passwort oder ein Anmeldeverfahren ändern oder sich überall abmelden.',
    browser: 'Browser',
    until: 'Bis',
    forget: 'Wieder fragen',
    forgetting: (p) => `In ${p.name} wieder nach dem zweiten Faktor fragen?`,
    forgetNote: 'Sie bleiben dort angemeldet. Bei der nächsten Anmeldung wird nach dem zweiten Faktor gefragt.',
  },

  security: {
    title: 'Anmeldung',
    note: 'Ihr Passwort, Passkeys, Authenticator-App und Wiederherstellungscodes',
    intro: 'Womit Sie sich anmelden können.',
    introMail: 'Womit Sie sich anmelden können. Sie erhalten eine E-Mail, wenn sich hier etwas ändert.',
    password: 'Passwort',
    changePassword: 'Passwort ändern',
    passkeys: 'Passkeys',
    passkeysNote:
      'Ein Passkey meldet Sie mit der Sperre Ihres Geräts an, zum Beispiel mit dem Fingerabdruck. Er gilt nur auf dieser Seite, deshalb kann keine Nachahmung ihn verwenden.',
    noPasskeys: 'Sie haben keine Passkeys.',
    passkeysOff: 'Passkeys brauchen eine Adresse mit einem Namen. Dieser Server wird über eine IP-Adresse erreicht.',
    name: 'Name',
    added: 'Hinzugefügt',
    lastUsed: 'Zuletzt verwendet',
    kept: 'Gespeichert',
    synced: 'Auf mehreren Geräten',
    onDevice: 'Auf einem Gerät',
    addPasskey: 'Passkey hinzufügen',
    addPasskeyNote:
      'Ihr Browser bittet Sie um die Bestätigung mit der Sperre dieses Geräts, Ihres Telefons oder mit einem Sicherheitsschlüssel.',
    passkeyName: 'Name des Passkeys',
    passkeyNameHint: 'Damit Sie ihn von anderen unterscheiden, zum Beispiel „Laptop“.',
    passkeyRefused: 'Die Antwort des Browsers wurde nicht angenommen. Versuchen Sie es noch einmal.',
    rename: 'Umbenennen',
    renaming: (p) => `Passkey „${p.name}“ umbenennen`,
    save: 'Speichern',
    remove: 'Entfernen',
    removing: (p) => `Passkey „${p.name}“ entfernen?`,
    removeNote: 'Sie können sich nicht mehr damit anmelden. Löschen Sie ihn auch auf Ihrem Gerät.',
    lastNote:
      'Außer Ihrem Passwort haben Sie kein anderes Anmeldeverfahren: Danach meldet Sie das Passwort allein an, und Ihre Wiederherstellungscodes werden gelöscht.',
    removeSubmit: 'Entfernen',
    app: 'Authenticator-App',
    appNote:
      'Eine App auf Ihrem Telefon zeigt alle 30 Sekunden einen neuen sechsstelligen Code. Nach dem Passwort werden Sie danach gefragt.',
    noApp: 'Es ist keine Authenticator-App eingerichtet.',
    setUp: 'Authenticator-App einrichten',
    setUpNote:
      'Scannen Sie das Bild mit Ihrer Authenticator-App, oder tippen Sie den Schlüssel ein. Geben Sie dann den Code ein, den die App zeigt.',
    key: 'Schlüssel',
    code: 'Code',
    codeHint: 'Sechs Ziffern, die die App jetzt zeigt.',
    setUpSubmit: 'Einrichten',
    setUpExpired: 'Diese Seite war zu lange offen. Scannen Sie das neue Bild.',
    removingApp: 'Authenticator-App entfernen?',
    recovery: 'Wiederherstellungscodes',
    recoveryNote: 'Jeder Code ersetzt einmal Ihren Passkey oder Ihre App, wenn Sie sie nicht dabeihaben.',
    recoveryLeft: (p) => `${gezählt(p.count, 'Code', 'Codes')} übrig`,
    noRecovery: 'Sie haben keine Wiederherstellungscodes.',
    recoveryLater:
      'Wiederherstellungscodes können Sie erstellen, sobald Sie einen Passkey oder eine Authenticator-App haben.',
    createCodes: 'Wiederherstellungscodes erstellen',
    createCodesNote: 'Sie erhalten zehn neue Codes. Frühere Codes gelten nicht mehr.',
    createCodesSubmit: 'Codes erstellen',
    codesMade: 'Ihre Wiederherstellungscodes',
    codesMadeNote:
      'Drucken Sie sie aus, oder bewahren Sie sie in einem Passwortmanager auf. Gespeichert sind nur Prüfsummen, deshalb werden sie nur dieses Mal gezeigt.',
    confirm: 'Bestätigen Sie zuerst, dass Sie es sind.',
    proveCode: 'Code aus Ihrer App oder Wiederherstellungscode',
    proveRecovery: 'Wiederherstellungscode',
    proveHint: 'Sie haben zuletzt vor mehr als zehn Minuten bestätigt, dass Sie es sind.',
    provePasskey: 'Mit einem Passkey bestätigen',
    enterProof: 'Geben Sie einen Code ein, oder verwenden Sie Ihren Passkey.',
    wrongProof: 'Das wurde nicht angenommen. Versuchen Sie es noch einmal.',
    notices: {
      'passkey-added': 'Der Passkey ist hinzugefügt. Ab jetzt können Sie sich damit anmelden.',
      'passkey-renamed': 'Der Passkey ist umbenannt.',
      'app-added':
        'Die Authenticator-App ist eingerichtet. Bei der Anmeldung werden Sie nach einem Code gefragt. Erstellen Sie jetzt Wiederherstellungscodes.',
      'method-removed': 'Das Anmeldeverfahren ist entfernt.',
      'browser-forgotten': 'In diesem Browser werden Sie wieder nach dem zweiten Faktor gefragt.',
      'method-required': 'Ihr Konto braucht einen Passkey. Fügen Sie einen hinzu, um fortzufahren.',
    },
  },
};
