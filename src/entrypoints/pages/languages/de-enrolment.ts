import type { enEnrolment, enEnrolmentLink } from './en-enrolment.ts';

export const deEnrolment: typeof enEnrolment = {
  enrolment: {
    required: 'Ein zweiter Faktor ist nötig',
    requiredNote:
      'Ihr Konto braucht außer dem Passwort einen Passkey oder eine Authenticator-App. Das Passwort allein genügt nicht, um sie hinzuzufügen, denn es könnte jemand anderem bekannt sein.',
    requiredPasskey:
      'Ihr Konto braucht einen Passkey. Das Passwort allein genügt nicht, um ihn hinzuzufügen, denn es könnte jemand anderem bekannt sein.',
    offer: 'Sie erhalten dafür eine E-Mail mit einem Link. Er funktioniert einmal, innerhalb von 30 Minuten.',
    sendLink: 'Link senden',
    sent: 'Sehen Sie in Ihre E-Mails',
    sentNote:
      'Ein Link ist unterwegs an die E-Mail-Adresse Ihres Kontos. Er funktioniert einmal, innerhalb von 30 Minuten. Melden Sie sich danach noch einmal an.',
    ask: 'Bitten Sie die Administration um einen Link, um einen zweiten Faktor hinzuzufügen: Er wird in der Konsole auf der Seite Ihres Kontos erstellt.',
    throttled: 'Es waren zu viele Anfragen. Warten Sie einige Minuten und versuchen Sie es noch einmal.',
    title: 'Zweiten Faktor hinzufügen',
    note: (p) => `Für ${p.name}. Ab jetzt melden Sie sich außer mit dem Passwort auch damit an.`,
    password: 'Ihr Passwort',
    passkey: 'Passkey hinzufügen',
    passkeyNote:
      'Geben Sie Ihr Passwort ein, und bestätigen Sie dann mit der Sperre dieses Geräts, Ihres Telefons oder mit einem Sicherheitsschlüssel.',
    passkeyName: 'Passkey',
    app: 'Authenticator-App',
    noPasskey:
      'Ihr Konto braucht einen Passkey, und dieser Browser kann ohne JavaScript keinen erstellen. Verwenden Sie einen anderen Browser, oder fragen Sie die Administration.',
  },
};

export const deEnrolmentLink: typeof enEnrolmentLink = {
  subject: (p) => `Fügen Sie einen zweiten Faktor für ${p.brand} hinzu`,
  text: (p) =>
    `Jemand hat sich mit Ihrem Passwort bei Ihrem Konto bei ${p.brand} angemeldet und braucht einen zweiten Faktor. Wenn Sie es waren, fügen Sie ihn mit diesem Link hinzu. Wenn nicht, ist Ihr Passwort jemandem bekannt: Öffnen Sie den Link nicht, und setzen Sie Ihr Passwort sofort zurück.`,
};
