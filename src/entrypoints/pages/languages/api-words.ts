import type { Catalogue } from './en.ts';

type Written = Readonly<Record<string, unknown>>;

/** What the API says in English, in another language: refusals by the field they are about, restrictions by their kind. */
type ApiWords = {
  refusals: Readonly<Record<string, string>>;
  /** Of a field that is not listed. */
  refusal: string;
  restrictions: Readonly<Record<string, (written: never) => string>>;
};

type Rate = string | { limit: string; for?: string[] };
type Values = string[] | { values: string[]; for?: string[] };

const forPatterns = (patterns: readonly string[] | undefined) => (patterns ? ` für ${patterns.join(', ')}` : '');
const germanDays: Written = { mon: 'Mo', tue: 'Di', wed: 'Mi', thu: 'Do', fri: 'Fr', sat: 'Sa', sun: 'So' };

function germanValues(parameter: string, written: Values): string {
  const { values, for: patterns } = Array.isArray(written) ? { values: written, for: undefined } : written;
  return `nur mit ${parameter} ${values.map((value) => JSON.stringify(value)).join(', ')}${forPatterns(patterns)}`;
}

const de: ApiWords = {
  refusals: {
    form: 'Das ist zurzeit nicht möglich. Prüfen Sie den Zustand des Schlüssels, oder bitten Sie einen Administrator um Hilfe.',
    name: 'Geben Sie einen Namen mit höchstens 100 Zeichen ein.',
    description: 'Geben Sie höchstens 500 Zeichen ein.',
    environment: 'Wählen Sie eine der Umgebungen aus.',
    permissions:
      'Wählen Sie mindestens eine Berechtigung, und nur solche, die Sie selbst haben. Eigene Muster: eines pro Zeile, wie orders:read.',
    ip_allowlist: 'Geben Sie pro Zeile eine IP-Adresse oder ein Netz ein, wie 10.0.0.0/8.',
    rate_limit: 'Geben Sie pro Zeile eine Begrenzung ein, wie 1000 requests/minute.',
    day: 'Geben Sie eine ganze Zahl ab 1 ein.',
    month: 'Geben Sie eine ganze Zahl ab 1 ein.',
    resource_servers: 'Geben Sie pro Zeile die Kennung einer API ein.',
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
  restrictions: {
    resource_servers: (apis: string[]) => `nur bei ${apis.join(', ')}`,
    ip_allowlist: (networks: string[]) => `nur von ${networks.join(', ')}`,
    allowed_origins: (origins: string[]) => `nur von Seiten von ${origins.join(', ')}`,
    time_window: ({ days, from, to, time_zone }: Record<string, string> & { days?: string[] }) =>
      `nur ${days ? `${days.map((day) => germanDays[day]).join(', ')} ` : ''}von ${from} bis ${to} Uhr (${time_zone})`,
    allowed_templates: (values: Values) => germanValues('template', values),
    allowed_values: (parameters: Record<string, Values>) =>
      Object.entries(parameters)
        .map(([parameter, values]) => germanValues(parameter, values))
        .join('; '),
    rate_limit: (rates: Rate | Rate[]) =>
      [rates]
        .flat()
        .map((rate) => (typeof rate === 'string' ? { limit: rate, for: undefined } : rate))
        .map(({ limit, for: patterns }) => `höchstens ${limit}${forPatterns(patterns)}`)
        .join(', '),
    quota: ({ day, month }: { day?: number; month?: number }) =>
      [day && `höchstens ${day} am Tag`, month && `höchstens ${month} im Monat`].filter(Boolean).join(', '),
  },
};

const translations: Readonly<Record<string, ApiWords>> = { de };

/**
 * A refusal of the API beside a field. In English it is the API's own sentence, which names what is wrong; other languages
 * have one sentence a field.
 */
export function refusalIn({ tag }: Catalogue, field: string, english: string): string {
  const words = translations[tag];
  return words ? (words.refusals[field] ?? words.refusal) : english;
}

/** The restrictions of a key in words. @param english the API's own words */
export function restrictionsIn({ tag }: Catalogue, written: Written, english: readonly string[]): readonly string[] {
  const words = translations[tag];
  if (!words) return english;
  return Object.entries(written).flatMap(([kind, value]) => {
    const say = words.restrictions[kind];
    return say && value !== undefined ? [say(value as never)] : [];
  });
}
