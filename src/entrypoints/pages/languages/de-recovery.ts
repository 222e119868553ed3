import { counted } from './counted.ts';
import { deEnrolmentLink } from './de-enrolment.ts';
import { deFactorNotices } from './de-factors.ts';
import type { enRecovery } from './en-recovery.ts';

/** The texts of account recovery, and of mail about accounts, in German. */
export const deRecovery: typeof enRecovery = {
  forgotPassword: {
    link: 'Passwort vergessen?',
    title: 'Passwort zurücksetzen',
    intro:
      'Geben Sie Ihre E-Mail-Adresse oder Ihren Benutzernamen ein. Sie erhalten eine E-Mail mit einem Link, um ein neues Passwort festzulegen.',
    submit: 'Link senden',
    incomplete: 'Geben Sie Ihre E-Mail-Adresse oder Ihren Benutzernamen ein.',
    throttled: (p) =>
      `Zu viele Anfragen. Warten Sie ${counted(p.minutes, 'Minute', 'Minuten')} und versuchen Sie es erneut.`,
    sent: 'Prüfen Sie Ihre E-Mails',
    sentNote:
      'Wenn es zu Ihrer Eingabe ein Konto mit bestätigter E-Mail-Adresse gibt, ist ein Link an diese Adresse unterwegs. Er funktioniert einmal, innerhalb von 30 Minuten.',
    sentNothing:
      'Nach einigen Minuten keine E-Mail? Prüfen Sie den Spam-Ordner, oder bitten Sie die Administration um einen Link für ein neues Passwort.',
    noMail:
      'Dieser Server kann keine E-Mails senden. Bitten Sie die Administration um einen Link für ein neues Passwort: Er wird in der Konsole auf der Seite Ihres Kontos erstellt.',
    back: 'Zurück zur Anmeldung',
  },

  signUp: {
    link: 'Konto erstellen',
    newHere: 'Neu hier?',
    title: 'Konto erstellen',
    intro: 'Geben Sie Ihre E-Mail-Adresse ein. Sie erhalten eine E-Mail mit einem Link, um Ihr Konto zu erstellen.',
    email: 'E-Mail-Adresse',
    submit: 'Link senden',
    incomplete: 'Geben Sie eine E-Mail-Adresse ein, wie name@example.com.',
    otherDomain:
      'Mit Adressen dieser Domain können keine Konten erstellt werden. Verwenden Sie eine andere Adresse, oder wenden Sie sich an die Administration.',
    throttled: (p) =>
      `Zu viele Anfragen. Warten Sie ${counted(p.minutes, 'Minute', 'Minuten')} und versuchen Sie es erneut.`,
    sent: 'Prüfen Sie Ihre E-Mails',
    sentNote:
      'Eine E-Mail an Sie ist unterwegs. Öffnen Sie den Link darin innerhalb einer Stunde in diesem Browser, um Ihr Konto zu erstellen.',
    sentNothing: 'Nach einigen Minuten keine E-Mail? Prüfen Sie die eingegebene Adresse und den Spam-Ordner.',
    back: 'Zurück zur Anmeldung',
    verified: (p) => `${p.email} ist bestätigt. Legen Sie fest, wie Sie sich anmelden.`,
    username: 'Benutzername',
    usernameHint: 'Damit oder mit Ihrer E-Mail-Adresse melden Sie sich an.',
    name: 'Name',
    create: 'Konto erstellen',
    taken: 'Dieser Benutzername ist vergeben. Wählen Sie einen anderen.',
  },

  ownAccount: {
    email: 'E-Mail-Adresse ändern',
    emailNow: (p) => `Ihre E-Mail-Adresse ist ${p.email}.`,
    emailNone: 'Ihr Konto hat keine E-Mail-Adresse.',
    emailNew: 'Neue E-Mail-Adresse',
    emailNote:
      'Sie erhalten an der neuen Adresse eine E-Mail mit einem Link. Die Adresse gilt, sobald Sie den Link in diesem Browser oder in einem anderen öffnen, in dem Sie angemeldet sind. Ihre bisherige Adresse wird benachrichtigt und kann die Änderung 7 Tage lang rückgängig machen.',
    emailNoMail: 'Dieser Server kann keine E-Mails senden. Bitten Sie die Administration, Ihre Adresse zu ändern.',
    emailSubmit: 'Link senden',
    deleteHeading: (p) => `Ihr Konto bei ${p.brand} löschen?`,
    deleteNote:
      'Das kann niemand rückgängig machen, auch nicht die Administration. Sie können vorher Ihre Daten herunterladen.',
    deleteSessions: (p) => counted(p.count, 'Sitzung', 'Sitzungen'),
    deleteSessionsNote: 'Sie und Ihre Apps werden überall abgemeldet.',
    deleteApps: (p) => counted(p.count, 'Verbindung einer App', 'Verbindungen von Apps'),
    deleteAppsNote: 'Apps verlieren den Zugriff. Was Apps selbst über Sie speichern, wird nicht gelöscht.',
    deleteKeys: 'Ihre API-Schlüssel, Rollen und Anmeldeverfahren',
    deleteKeysNote: 'Schlüssel werden sofort abgelehnt.',
    deleteDetails: 'Ihr Name, Ihr Benutzername und Ihre E-Mail-Adresse',
    deleteDetailsNote:
      'Sie werden gelöscht, ebenso die IP-Adressen und Browser Ihrer Aktivität. Die Ereignisse bleiben ohne diese Angaben im Audit-Log.',
    deleteSubmit: 'Konto löschen',
    notices: {
      'email-requested':
        'Prüfen Sie Ihre E-Mails: Die neue Adresse gilt, sobald Sie den Link öffnen, der an sie gesendet wurde.',
      'email-changed': 'Ihre E-Mail-Adresse wurde geändert.',
    },
  },

  emailLink: {
    confirm: 'E-Mail-Adresse bestätigen',
    confirmNote: (p) => `Soll ${p.email} die E-Mail-Adresse Ihres Kontos sein?`,
    confirmSubmit: 'Adresse bestätigen',
    undo: 'Änderung Ihrer E-Mail-Adresse rückgängig machen?',
    undoNote: (p) =>
      `Die E-Mail-Adresse Ihres Kontos ist dann wieder ${p.email}, und alle Browser und Apps werden abgemeldet.`,
    undoSubmit: 'Änderung rückgängig machen',
    undone: 'Änderung rückgängig gemacht',
    undoneNote: (p) =>
      `Die E-Mail-Adresse Ihres Kontos ist wieder ${p.email}, und alle Browser und Apps sind abgemeldet. Wenn Sie sie nicht geändert haben, kennt jemand Ihr Passwort: Setzen Sie es jetzt zurück.`,
    reset: 'Passwort zurücksetzen',
  },

  mail: {
    links: {
      choose_password: {
        subject: (p) => `Legen Sie Ihr Passwort für ${p.brand} fest`,
        text: (p) => `Legen Sie Ihr Passwort für ${p.brand} fest:`,
      },
      add_second_factor: deEnrolmentLink,
      confirm_email: {
        subject: (p) => `Bestätigen Sie Ihre E-Mail-Adresse für ${p.brand}`,
        text: (p) =>
          `Jemand möchte diese Adresse für ein Konto bei ${p.brand} verwenden. Wenn Sie es waren, öffnen Sie diesen Link in einem Browser, in dem Sie angemeldet sind. Wenn nicht, ignorieren Sie diese E-Mail.`,
      },
      sign_up: {
        subject: (p) => `Erstellen Sie Ihr Konto bei ${p.brand}`,
        text: (p) =>
          `Jemand möchte mit dieser Adresse ein Konto bei ${p.brand} erstellen. Wenn Sie es waren, erstellen Sie es mit diesem Link. Wenn nicht, ignorieren Sie diese E-Mail: Ohne den Link wird kein Konto erstellt.`,
      },
      recover_password: {
        subject: (p) => `Setzen Sie Ihr Passwort für ${p.brand} zurück`,
        text: (p) =>
          `Jemand möchte Ihr Passwort für ${p.brand} zurücksetzen. Wenn Sie es waren, legen Sie mit diesem Link ein neues fest. Wenn nicht, ignorieren Sie diese E-Mail: Ihr Passwort ändert sich nicht.`,
      },
    },
    signInCode: {
      subject: (p) => `Ihr Code zur Anmeldung bei ${p.brand}`,
      text: (p) =>
        `Ihr Code zur Anmeldung bei ${p.brand}: ${p.code} – er funktioniert einmal, bis ${p.time} UTC, in dem Browser, in dem Sie ihn angefordert haben. Geben Sie ihn nicht weiter. Wenn Sie ihn nicht angefordert haben, ignorieren Sie diese E-Mail.`,
    },
    linkUntil: (p) => `Der Link funktioniert einmal, bis ${p.day}, ${p.time} UTC.`,
    notices: {
      new_browser: {
        subject: (p) => `Neue Anmeldung bei ${p.brand}`,
        text: (p) =>
          `Jemand hat sich mit Ihrem Konto ${p.account} bei ${p.brand} in einem Browser angemeldet, der dafür noch nicht verwendet wurde: ${p.browser}, von der Adresse ${p.address}, am ${p.day}, ${p.time} UTC. Wenn Sie es waren, ignorieren Sie diese E-Mail. Wenn nicht, ändern Sie Ihr Passwort, melden Sie in Ihrem Konto alle Browser ab, und informieren Sie die Administration.`,
      },
      password_changed: {
        subject: (p) => `Ihr Passwort für ${p.brand} wurde geändert`,
        text: (p) =>
          `Das Passwort Ihres Kontos ${p.account} bei ${p.brand} wurde am ${p.day}, ${p.time} UTC geändert. Wenn Sie es nicht waren, setzen Sie es sofort auf der Anmeldeseite zurück und informieren Sie die Administration.`,
      },
      email_changed: {
        subject: (p) => `Ihre E-Mail-Adresse für ${p.brand} wurde geändert`,
        text: (p) =>
          `Die E-Mail-Adresse Ihres Kontos ${p.account} bei ${p.brand} wurde am ${p.day}, ${p.time} UTC geändert. Wenn Sie es nicht waren, machen Sie die Änderung mit diesem Link rückgängig. Dann gilt wieder diese Adresse, und alle Browser und Apps werden abgemeldet.`,
      },
      account_deleted: {
        subject: (p) => `Ihr Konto bei ${p.brand} wurde gelöscht`,
        text: (p) =>
          `Ihr Konto ${p.account} bei ${p.brand} wurde am ${p.day}, ${p.time} UTC auf Ihren Wunsch gelöscht. Ihre personenbezogenen Daten wurden ebenfalls gelöscht.`,
      },
      account_exists: {
        subject: (p) => `Sie haben ein Konto bei ${p.brand}`,
        text: (p) =>
          `Am ${p.day}, ${p.time} UTC, wollte jemand mit der Adresse ${p.account} ein Konto bei ${p.brand} erstellen. Es gibt bereits eines: Melden Sie sich wie gewohnt an, oder setzen Sie Ihr Passwort auf der Anmeldeseite zurück. Wenn Sie es nicht waren, ignorieren Sie diese E-Mail.`,
      },
      ...deFactorNotices,
      test: {
        subject: (p) => `Test-E-Mail von ${p.brand}`,
        text: (p) =>
          `Das ist eine Test-E-Mail von ${p.brand}. Sie wurde am ${p.day}, ${p.time} UTC von ${p.account} angefordert. Der Versand von E-Mails funktioniert.`,
      },
    },
    leakSubject: (p) => `Ihre Zugangsdaten bei ${p.brand} wurden veröffentlicht`,
    leak: (p) => `Zugangsdaten, die Ihnen bei ${p.brand} gehören, wurden öffentlich gefunden:`,
    leakActive:
      'Sie sind noch aktiv, weil dieser Server so eingestellt ist, dass er solche Funde nur meldet. Widerrufen Sie sie so bald wie möglich, oder bitten Sie die Administration darum.',
    leakRevoked: 'Sie wurden widerrufen. Ersetzen Sie sie überall, wo sie verwendet wurden.',
    leakRecords: 'Die Administration kann in den Zugriffsprotokollen sehen, wie sie verwendet wurden.',
  },
};
