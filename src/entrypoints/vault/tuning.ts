import { VaultError } from './answers.ts';
import { type Fields, secondsIn } from './fields.ts';

/** The settings of a mount or an auth method, as clients read them. */
export type Tuning = {
  default_lease_ttl: number;
  max_lease_ttl: number;
  token_type?: string;
  options: Readonly<Record<string, string>>;
};

/**
 * Clients write settings as they read them, and leave others empty: that changes nothing, and succeeds.
 *
 * @param hint what to do instead of a change
 * @throws VaultError 400: a setting that would change, or that Latchkey does not have
 */
export function mustKeepTuning(sent: Fields, present: Tuning, hint: string): void {
  const changed = Object.keys(sent).find((name) => !isKept(sent, name, present));
  if (changed !== undefined) throw new VaultError(400, `${changed} cannot be changed: ${hint}`);
}

const durations = ['default_lease_ttl', 'max_lease_ttl'] as const;

function isKept(sent: Fields, name: string, present: Tuning): boolean {
  const value = sent[name];
  if (isEmpty(value)) return true;
  const duration = durations.find((each) => each === name);
  if (duration) return value === 'system' || [0, present[duration]].includes(secondsIn(sent, name) ?? 0);
  if (name === 'token_type') return value === present.token_type;
  if (name === 'listing_visibility') return value === 'hidden';
  if (name === 'options' && typeof value === 'object')
    return Object.entries(value ?? {}).every(([option, text]) => present.options[option] === String(text));
  return false;
}

const isEmpty = (value: unknown) =>
  value == null || value === '' || value === false || value === 0 || (typeof value === 'object' && isBare(value));

const isBare = (value: object) => Object.values(value).every((member) => member == null || member === '');
