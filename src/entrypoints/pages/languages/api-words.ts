import { refusalBeside } from '../../../domain/restrictions/index.ts';
import type { Catalogue } from './en.ts';

/** Translations of the API's English error texts, by the field they are about. */
type ApiWords = {
  refusals: Readonly<Record<string, string>>;
  /** Translations for any field: the part of the English sentence that identifies it, and the translation. */
  sentences: readonly (readonly [english: RegExp, sentence: string])[];
  /** The text for a field that is not listed. */
  refusal: string;
};

const de: ApiWords = {
  refusals: {
    form: 'Das ist zurzeit nicht möglich. Prüfen Sie den aktuellen Zustand, oder bitten Sie die Administration um Hilfe.',
    name: 'Geben Sie einen Namen mit höchstens 100 Zeichen ein.',
    description: 'Geben Sie höchstens 500 Zeichen ein.',
    environment: 'Wählen Sie eine der Umgebungen aus.',
    permissions:
      'Wählen Sie mindestens eine Berechtigung, und nur solche, die Sie selbst haben. Eigene Muster: eines pro Zeile, wie orders:read.',
    risk: 'Wählen Sie ein Risiko aus.',
    expires_in_days: 'Geben Sie eine ganze Zahl von 1 bis 3660 ein.',
    expires_at:
      'Wählen Sie einen Zeitpunkt in der Zukunft. Ein Schlüssel ohne Ablauf braucht die Berechtigung latchkey:api_key:never_expire.',
    overlap_seconds: 'Wählen Sie eine der Übergangszeiten aus.',
    username: 'Geben Sie einen Benutzernamen aus Buchstaben, Ziffern und den Zeichen „.“, „_“ und „-“ ein.',
    email: 'Geben Sie eine E-Mail-Adresse ein, wie name@example.com.',
    password: 'Wählen Sie ein Passwort mit mindestens 8 Zeichen, das nicht Ihr Name oder Ihre E-Mail-Adresse ist.',
  },
  sentences: [
    [/must not be empty|is required/i, 'Dieses Feld darf nicht leer sein.'],
    [/must have at most (\d+) characters?/i, 'Geben Sie höchstens $1 Zeichen ein.'],
    [/must have at least (\d+) characters?/i, 'Geben Sie mindestens $1 Zeichen ein.'],
    [/must have at most (\d+) entr/i, 'Geben Sie höchstens $1 Einträge an.'],
    [/expiry must be in the future/i, 'Wählen Sie einen Zeitpunkt in der Zukunft.'],
    [
      /never expires, or expires after more than ten years, needs "([^"]+)"/,
      'Ein Schlüssel, der nie oder erst nach mehr als zehn Jahren abläuft, braucht die Berechtigung $1.',
    ],
    [/permission that you do not hold yourself: "([^"]+)"/, 'Diese Berechtigung haben Sie selbst nicht: $1.'],
    [/at least one permission/i, 'Wählen Sie mindestens eine Berechtigung.'],
    [
      /You have (\d+) active keys/,
      'Sie haben $1 aktive Schlüssel: Widerrufen Sie zuerst einen, den Sie nicht mehr brauchen.',
    ],
    [
      /This key has expired/,
      'Dieser Schlüssel ist abgelaufen: Setzen Sie zuerst einen neuen Ablauf, oder erstellen Sie einen anderen Schlüssel.',
    ],
    [
      /(\d+) versions of this key are active/,
      '$1 Versionen dieses Schlüssels sind aktiv: Warten Sie, bis eine abläuft, oder widerrufen Sie den Schlüssel.',
    ],
    [/key is revoked and cannot be enabled/, 'Dieser Schlüssel ist widerrufen: Erstellen Sie einen neuen.'],
    [/Use at least (\d+) characters/, 'Wählen Sie ein Passwort mit mindestens $1 Zeichen.'],
    [/Use at most (\d+) characters/, 'Wählen Sie ein Passwort mit höchstens $1 Zeichen.'],
    [/other than your own name/, 'Wählen Sie etwas anderes als Ihren Namen oder Ihre E-Mail-Adresse.'],
    [/line breaks and other control characters/, 'Lassen Sie Zeilenumbrüche und andere Steuerzeichen weg.'],
  ],
  refusal: 'Prüfen Sie diese Angabe.',
};

const translations = { de };

/**
 * An error of the API beside a field. In English it is the API's own sentence; other languages translate it if it is known, and otherwise
 * name what the field accepts.
 */
export function refusalIn({ tag }: Catalogue, field: string, english: string): string {
  if (tag === 'en') return english;
  const { refusals, sentences, refusal } = translations[tag];
  return refusalBeside(field, tag) ?? sentenceFor(english, sentences) ?? refusals[field] ?? refusal;
}

function sentenceFor(english: string, sentences: ApiWords['sentences']): string | undefined {
  for (const [pattern, sentence] of sentences) {
    const match = pattern.exec(english);
    if (match) return sentence.replace('$1', () => match[1] ?? '');
  }
  return undefined;
}
