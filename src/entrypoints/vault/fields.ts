import { parseNetwork } from '../../platform/http/index.ts';
import { VaultError } from './answers.ts';

/** Members of a body, as Vault reads them: a null is as if it were not there, and several forms mean the same. */
export type Fields = Readonly<Record<string, unknown>>;

/** @throws VaultError 400 */
export function textIn(fields: Fields, name: string): string | undefined {
  const value = fields[name] ?? undefined;
  if (value === undefined || typeof value === 'string') return value;
  throw new VaultError(400, `Field validation failed: error converting input for field "${name}": expected a string`);
}

/** A number, also as text. @throws VaultError 400 */
export function numberIn(fields: Fields, name: string): number | undefined {
  const value = fields[name] ?? undefined;
  if (value === undefined || value === '') return undefined;
  const number = typeof value === 'number' || typeof value === 'string' ? Number(value) : Number.NaN;
  if (Number.isInteger(number)) return number;
  throw new VaultError(400, `Field validation failed: error converting input for field "${name}": expected a number`);
}

const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };
const durationShape = /^(?:\d+(?:\.\d+)?[smhd])+$/;

/** Seconds: a number, or a text such as `90`, `30s` and `1h30m`. @throws VaultError 400 */
export function secondsIn(fields: Fields, name: string): number | undefined {
  const value = fields[name] ?? undefined;
  if (typeof value === 'string' && durationShape.test(value)) {
    const parts = [...value.matchAll(/([\d.]+)([smhd])/g)];
    return Math.floor(parts.reduce((sum, [, amount, unit = 's']) => sum + Number(amount) * (units[unit] ?? 1), 0));
  }
  return numberIn(fields, name);
}

/** Seconds as Go writes a duration: `0s`, `1m30s`, `1h0m0s`. */
export function durationOf(seconds: number): string {
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60)];
  const parts = [...(hours > 0 ? [`${hours}h`] : []), ...(seconds >= 60 ? [`${minutes}m`] : []), `${seconds % 60}s`];
  return parts.join('');
}

/** @throws VaultError 400 */
export function flagIn(fields: Fields, name: string): boolean | undefined {
  const value = fields[name] ?? undefined;
  if (value === undefined || typeof value === 'boolean') return value;
  if (value === 'true' || value === '1' || value === 1) return true;
  if (value === 'false' || value === '0' || value === 0) return false;
  throw new VaultError(400, `Field validation failed: error converting input for field "${name}": expected a boolean`);
}

/** `"a,b"` or `["a","b"]`. @throws VaultError 400 */
export function textsIn(fields: Fields, name: string): string[] | undefined {
  const value = fields[name] ?? undefined;
  if (value === undefined) return undefined;
  const texts = typeof value === 'string' ? value.split(',') : value;
  if (Array.isArray(texts) && texts.every((text) => typeof text === 'string'))
    return texts.map((text: string) => text.trim()).filter(Boolean);
  throw new VaultError(400, `Field validation failed: error converting input for field "${name}": expected a list`);
}

/** @throws VaultError 400 */
export function objectIn(fields: Fields, name: string): Record<string, unknown> | undefined {
  const value = fields[name] ?? undefined;
  if (value === undefined) return undefined;
  if (typeof value === 'object' && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new VaultError(400, `Field validation failed: error converting input for field "${name}": expected a map`);
}

/** Numbers of versions: `[1, 2]`, `["1"]` or `"1,2"`. @throws VaultError 400 */
export function versionsIn(fields: Fields): number[] {
  const value = fields.versions ?? undefined;
  const given = typeof value === 'string' ? value.split(',') : [value].flat();
  const numbers = given.map(Number);
  if (numbers.length === 0 || !numbers.every((number) => Number.isInteger(number) && number > 0))
    throw new VaultError(400, 'No version number provided');
  return numbers;
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
