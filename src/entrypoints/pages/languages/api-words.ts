import { refusalBeside } from '../../../domain/restrictions/index.ts';
import type { Catalogue } from './en.ts';

/** What the API says in English, in another language: refusals by the field they are about. */
type ApiWords = {
  refusals: Readonly<Record<string, string>>;
  /** Of a field that is not listed. */
  refusal: string;
};

const de: ApiWords = {
  refusals: {
    form: 'Das ist zurzeit nicht möglich. Prüfen Sie den Zustand des Schlüssels, oder bitten Sie die Administration um Hilfe.',
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
    email: 'Geben Sie eine E-Mail-Adresse ein, wie name@example.org.',
    password: 'Wählen Sie ein Passwort mit mindestens 8 Zeichen, das nicht Ihr Name oder Ihre E-Mail-Adresse ist.',
  },
  refusal: 'Prüfen Sie diese Angabe.',
};

const translations = { de };

/**
 * A refusal of the API beside a field. In English it is the API's own sentence, which names what is wrong; other languages
 * have one sentence a field.
 */
export function refusalIn({ tag }: Catalogue, field: string, english: string): string {
  if (tag === 'en') return english;
  const { refusals, refusal } = translations[tag];
  return refusals[field] ?? refusalBeside(field, tag) ?? refusal;
}
