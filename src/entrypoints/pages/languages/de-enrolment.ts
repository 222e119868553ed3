import type { enEnrolment, enEnrolmentLink } from './en-enrolment.ts';

export const deEnrolment: typeof enEnrolment = {
  enrolment: {
    required: 'Ein zweiter Faktor ist nötig',
    requiredNote:
      'Ihr Konto braucht zusätzlich einen Passkey oder eine Authenticator-App. Ihre Anmeldung allein genügt nicht, um sie hinzuzufügen, denn jemand anderes könnte sich ebenso anmelden.',
    requiredPasskey:
      'Ihr Konto braucht einen Passkey. Ihre Anmeldung allein genügt nicht, um ihn hinzuzufügen, denn jemand anderes könnte sich ebenso anmelden.',
    offer: 'Sie erhalten dafür eine E-Mail mit einem Link. Er funktioniert einmal, innerhalb von 30 Minuten.',
    sendLink: 'Link senden',
    sent: 'Sehen Sie in Ihre E-Mails',
    sentNote:
      'Ein Link ist unterwegs an die E-Mail-Adresse Ihres Kontos. Er funktioniert einmal, innerhalb von 30 Minuten. Melden Sie sich danach noch einmal an.',
    ask: 'Bitten Sie die Administration um einen Link, um einen zweiten Faktor hinzuzufügen: Er wird in der Konsole auf der Seite Ihres Kontos erstellt.',
    throttled: 'Es waren zu viele Anfragen. Warten Sie einige Minuten und versuchen Sie es noch einmal.',
    title: 'Zweiten Faktor hinzufügen',
    note: (p) => `Für ${p.name}. Ab jetzt werden Sie bei der Anmeldung danach gefragt.`,
    signInFirst:
      'Melden Sie sich zuerst in diesem Browser wie gewohnt bei Ihrem Anbieter an. Öffnen Sie dann diesen Link innerhalb von 30 Minuten noch einmal.',
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
    `Jemand hat sich bei Ihrem Konto bei ${p.brand} angemeldet und braucht einen zweiten Faktor. Wenn Sie es waren, fügen Sie ihn mit diesem Link hinzu. Wenn nicht, kann sich jemand anderes als Sie anmelden: Öffnen Sie den Link nicht, und ändern Sie Ihr Passwort sofort.`,
};
