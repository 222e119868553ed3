import type { enEnrolment, enEnrolmentLink } from './en-enrolment.ts';

export const deEnrolment: typeof enEnrolment = {
  enrolment: {
    required: 'Ein zweiter Faktor ist erforderlich',
    requiredNote:
      'Für Ihr Konto ist zusätzlich ein Passkey oder eine Authenticator-App erforderlich. Ihre Anmeldung allein genügt nicht, um sie hinzuzufügen, weil sich jemand anderes ebenso anmelden könnte.',
    requiredPasskey:
      'Für Ihr Konto ist ein Passkey erforderlich. Ihre Anmeldung allein genügt nicht, um ihn hinzuzufügen, weil sich jemand anderes ebenso anmelden könnte.',
    offer: 'Sie erhalten dafür eine E-Mail mit einem Link. Er funktioniert einmal, innerhalb von 30 Minuten.',
    sendLink: 'Link senden',
    sent: 'Prüfen Sie Ihre E-Mails',
    sentNote:
      'Ein Link ist unterwegs an die E-Mail-Adresse Ihres Kontos. Er funktioniert einmal, innerhalb von 30 Minuten. Melden Sie sich danach erneut an.',
    ask: 'Bitten Sie die Administration um einen Link zum Hinzufügen eines zweiten Faktors: Er wird in der Konsole auf der Seite Ihres Kontos erstellt.',
    throttled: 'Zu viele Anfragen. Warten Sie einige Minuten und versuchen Sie es erneut.',
    title: 'Zweiten Faktor hinzufügen',
    note: (p) => `Für ${p.name}. Ab jetzt werden Sie bei der Anmeldung danach gefragt.`,
    signInFirst:
      'Melden Sie sich zuerst in diesem Browser wie gewohnt mit Ihrem Identitätsanbieter an. Öffnen Sie dann diesen Link innerhalb von 30 Minuten noch einmal.',
    password: 'Ihr Passwort',
    passkey: 'Passkey hinzufügen',
    passkeyNote:
      'Geben Sie Ihr Passwort ein, und bestätigen Sie dann mit der Bildschirmsperre dieses Geräts oder Ihres Telefons oder mit einem Sicherheitsschlüssel.',
    passkeyName: 'Passkey',
    app: 'Authenticator-App',
    noPasskey:
      'Für Ihr Konto ist ein Passkey erforderlich, und dieser Browser kann ohne JavaScript keinen erstellen. Verwenden Sie einen anderen Browser, oder wenden Sie sich an die Administration.',
  },
};

export const deEnrolmentLink: typeof enEnrolmentLink = {
  subject: (p) => `Fügen Sie einen zweiten Faktor für ${p.brand} hinzu`,
  text: (p) =>
    `Jemand hat sich mit Ihrem Konto bei ${p.brand} angemeldet und braucht einen zweiten Faktor. Wenn Sie es waren, fügen Sie ihn mit diesem Link hinzu. Wenn nicht, kann sich jemand anderes mit Ihrem Konto anmelden: Öffnen Sie den Link nicht, und ändern Sie sofort Ihr Passwort.`,
};
