import { mostInteger } from '../../platform/database/index.ts';
import { parseNetwork } from '../../platform/http/index.ts';
import { VaultError } from './answers.ts';

/** Members of a body, as Vault reads them: a null counts as absent, and several forms are accepted. */
export type Fields = Readonly<Record<string, unknown>>;

const conversionError = (name: string, expected: string) =>
  new VaultError(400, `Field validation failed: error converting input for field "${name}": expected ${expected}`);

/** @throws VaultError 400 */
export function textIn(fields: Fields, name: string): string | undefined {
  const value = fields[name] ?? undefined;
  if (value === undefined || (typeof value === 'string' && isStorable(value))) return value;
  throw conversionError(name, 'a string');
}

/** PostgreSQL stores no text with a null character. */
const isStorable = (text: string) => !text.includes('\0');

/** A number, also as text. @throws VaultError 400 */
export function numberIn(fields: Fields, name: string): number | undefined {
  const number = integerIn(fields, name);
  if (number === undefined || Math.abs(number) <= mostInteger) return number;
  throw conversionError(name, `a number up to ${mostInteger}`);
}

function integerIn(fields: Fields, name: string): number | undefined {
  const value = fields[name] ?? undefined;
  if (value === undefined || value === '') return undefined;
  const number = typeof value === 'number' || typeof value === 'string' ? Number(value) : Number.NaN;
  if (Number.isInteger(number)) return number;
  throw conversionError(name, 'a number');
}

// Those of Go, and days. Spring's client writes no time as `0s0ns`.
const units: Readonly<Record<string, number>> = {
  ...{ ns: 1e-9, us: 1e-6, µs: 1e-6, ms: 1e-3 },
  ...{ s: 1, m: 60, h: 3600, d: 86_400 },
};
const unit = '(?:[nuµm]s|[smhd])';
const durationShape = new RegExp(`^-?(?:\\d+(?:\\.\\d+)?${unit})+$`);
const durationPart = new RegExp(`([\\d.]+)(${unit})`, 'g');

/** Seconds: a number, or a text such as `90`, `30s` and `1h30m`; at most 68 years. @throws VaultError 400: also below 0 */
export function secondsIn(fields: Fields, name: string): number | undefined {
  const seconds = signedSecondsIn(fields, name);
  if (seconds !== undefined && seconds < 0) throw new VaultError(400, `${name} must be positive`);
  return seconds;
}

/** The same, where a time below 0 means something. @throws VaultError 400 */
export function signedSecondsIn(fields: Fields, name: string): number | undefined {
  const value = fields[name] ?? undefined;
  const isDuration = typeof value === 'string' && durationShape.test(value);
  const seconds = isDuration ? secondsOf(value) : integerIn(fields, name);
  return seconds === undefined ? undefined : Math.max(-mostInteger, Math.min(mostInteger, seconds));
}

function secondsOf(duration: string): number {
  const parts = [...duration.matchAll(durationPart)];
  const sum = parts.reduce((total, [, amount, of = 's']) => total + Number(amount) * (units[of] ?? 1), 0);
  // 0 often means no limit: a short time must not become none.
  const seconds = sum > 0 ? Math.max(1, Math.floor(sum)) : 0;
  return duration.startsWith('-') ? -seconds : seconds;
}

/** Seconds as Go writes a duration: `0s`, `1m30s`, `1h0m0s`. */
export function durationOf(seconds: number): string {
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60)];
  const parts = [...(hours > 0 ? [`${hours}h`] : []), ...(seconds >= 60 ? [`${minutes}m`] : []), `${seconds % 60}s`];
  return parts.join('');
}

/** As texts in queries and bodies (`strconv.ParseBool` of Go). */
export const truths: ReadonlySet<unknown> = new Set(['1', 't', 'T', 'true', 'TRUE', 'True']);
const untruths: ReadonlySet<unknown> = new Set(['0', 'f', 'F', 'false', 'FALSE', 'False']);

/** @throws VaultError 400 */
export function flagIn(fields: Fields, name: string): boolean | undefined {
  const value = fields[name] ?? undefined;
  if (value === undefined || typeof value === 'boolean') return value;
  if (truths.has(value) || value === 1) return true;
  if (untruths.has(value) || value === 0) return false;
  throw conversionError(name, 'a boolean');
}

/** `"a,b"` or `["a","b"]`. @throws VaultError 400 */
export function textsIn(fields: Fields, name: string): string[] | undefined {
  const value = fields[name] ?? undefined;
  if (value === undefined) return undefined;
  const texts = typeof value === 'string' ? value.split(',') : value;
  if (Array.isArray(texts) && texts.every((text) => typeof text === 'string' && isStorable(text)))
    return texts.map((text: string) => text.trim()).filter(Boolean);
  throw conversionError(name, 'a list');
}

/** @throws VaultError 400 */
export function objectIn(fields: Fields, name: string): Record<string, unknown> | undefined {
  const value = fields[name] ?? undefined;
  if (value === undefined) return undefined;
  if (typeof value === 'object' && !Array.isArray(value)) return value as Record<string, unknown>;
  throw conversionError(name, 'a map');
}

/** Numbers of versions: `[1, 2]`, `["1"]` or `"1,2"`. @throws VaultError 400 */
export function versionsIn(fields: Fields): number[] {
  const value = fields.versions ?? undefined;
  const given = typeof value === 'string' ? value.split(',') : [value].flat();
  const numbers = given.map(Number);
  if (
    numbers.length === 0 ||
    !numbers.every((number) => Number.isInteger(number) && number > 0 && number <= mostInteger)
  )
    throw new VaultError(400, 'No version number provided');
  return numbers;
}

const mostPolicies = 100;

/** The names of policies; of some, permissions may be given too, which have a colon. @throws VaultError 400 */
export function policiesIn(fields: Fields, name: string): string[] | undefined {
  const policies = textsIn(fields, name);
  if (policies && policies.length > mostPolicies)
    throw new VaultError(400, `${name} has at most ${mostPolicies} policies`);
  // Names of policies are lower-case; permissions are not.
  return policies && [...new Set(policies.map((policy) => (policy.includes(':') ? policy : policy.toLowerCase())))];
}

const mostNetworks = 50;

/** Networks such as `10.0.0.0/8`, and addresses; undefined: none. @throws VaultError 400 */
export function cidrsIn(fields: Fields, name: string): string[] | undefined {
  const networks = textsIn(fields, name) ?? [];
  const wrong = networks.find((network) => parseNetwork(network) === undefined);
  if (wrong !== undefined) throw new VaultError(400, `${name}: "${wrong}" is no network, such as 10.0.0.0/8`);
  if (networks.length > mostNetworks) throw new VaultError(400, `${name} has at most ${mostNetworks} networks`);
  return networks.length > 0 ? networks : undefined;
}
