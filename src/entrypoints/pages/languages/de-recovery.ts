import type { enRecovery } from './en-recovery.ts';

const counted = (count: number, one: string, several: string) => `${count} ${count === 1 ? one : several}`;

/** The texts of getting back into an account, and of mail about accounts, in German. */
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

  mail: {
    links: {
      choose_password: {
        subject: (p) => `Legen Sie Ihr Passwort für ${p.brand} fest`,
        text: (p) => `Legen Sie Ihr Passwort für ${p.brand} fest:`,
      },
      recover_password: {
        subject: (p) => `Setzen Sie Ihr Passwort für ${p.brand} zurück`,
        text: (p) =>
          `Jemand möchte Ihr Passwort für ${p.brand} zurücksetzen. Wenn Sie es waren, legen Sie mit diesem Link ein neues fest. Wenn nicht, ignorieren Sie diese E-Mail: Ihr Passwort bleibt, wie es ist.`,
      },
    },
    linkUntil: (p) => `Der Link funktioniert einmal, bis ${p.day}, ${p.time} UTC.`,
    notices: {
      password_changed: {
        subject: (p) => `Ihr Passwort für ${p.brand} wurde geändert`,
        text: (p) =>
          `Das Passwort Ihres Kontos ${p.account} bei ${p.brand} wurde am ${p.day}, ${p.time} UTC geändert. Wenn Sie es nicht waren, setzen Sie es sofort auf der Anmeldeseite zurück und informieren Sie die Administration.`,
      },
      test: {
        subject: (p) => `Test-E-Mail von ${p.brand}`,
        text: (p) =>
          `Das ist eine Test-E-Mail von ${p.brand}. Sie wurde am ${p.day}, ${p.time} UTC von ${p.account} angefordert. Der Versand von E-Mails funktioniert.`,
      },
    },
    leakSubject: (p) => `Ihre Zugangsdaten bei ${p.brand} wurden veröffentlicht`,
    leak: (p) => `Zugangsdaten, die Ihnen bei ${p.brand} gehören, wurden öffentlich gefunden:`,
    leakActive:
      'Sie sind noch aktiv, weil dieser Server solche Funde nur meldet. Widerrufen Sie sie so bald wie möglich, oder bitten Sie die Administration darum.',
    leakRevoked: 'Sie wurden widerrufen. Ersetzen Sie sie überall, wo sie verwendet wurden.',
    leakRecords: 'Die Administration kann in den Zugriffsprotokollen sehen, wie sie verwendet wurden.',
  },
};
