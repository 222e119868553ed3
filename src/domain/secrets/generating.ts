import { generateKeyPair, randomBytes, randomInt } from 'node:crypto';
import { promisify } from 'node:util';
import { invalid } from '../../platform/http/index.ts';
import type { GeneratedPart, KeyAlgorithm } from './generated-parts.ts';
import { makeCertificate } from './self-signed.ts';
import type { SecretData } from './values.ts';

/** The generated parts of the value, and those of them that are public. */
export type Generated = { data: SecretData; public: Record<string, string> };

type Made = { secret: Record<string, string>; public?: Record<string, string> };

/**
 * Generates parts of a value. Readers of the secret get them; the caller who generates them does not.
 *
 * @throws Problem `invalid`: two parts have the same name
 */
export async function generated(
  given: SecretData,
  wanted: Readonly<Record<string, GeneratedPart>>,
  now: Date,
): Promise<Generated> {
  const result: Generated = { data: { ...given }, public: {} };
  for (const [name, part] of Object.entries(wanted)) {
    const made = await make(name, part, now);
    const parts = { ...made.secret, ...made.public };
    const twice = Object.keys(parts).find((each) => Object.hasOwn(result.data, each));
    if (twice !== undefined) throw invalid(`/generate/${name}`, `makes the part "${twice}", which is there already`);
    Object.assign(result.data, parts);
    Object.assign(result.public, made.public);
  }
  return result;
}

async function make(name: string, part: GeneratedPart, now: Date): Promise<Made> {
  if (part.kind === 'password') return { secret: { [name]: password(part) } };
  if (part.kind === 'random') return { secret: { [name]: randomBytes(part.bytes).toString(part.encoding) } };
  // Names of variables, for programs that get the parts as such.
  const named = (what: string) => (name === 'value' ? what : `${name}_${what}`);
  const { privateKey, publicKey } = await makeKeyPair(part.algorithm);
  if (part.kind === 'key_pair')
    return { secret: { [named('private_key')]: privateKey }, public: { [named('public_key')]: publicKey } };
  const certificate = await makeCertificate({ privateKey, publicKey }, part, now);
  return { secret: { [named('private_key')]: privateKey }, public: { [named('certificate')]: certificate } };
}

const classes = ['abcdefghijklmnopqrstuvwxyz', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', '0123456789'];
const symbols = '!#%*+-.:=?@_~';

/** Each character has the same probability; repeated until each required class is included. */
function password({ length, symbols: hasSymbols }: Extract<GeneratedPart, { kind: 'password' }>): string {
  const wanted = hasSymbols ? [...classes, symbols] : classes;
  const all = wanted.join('');
  const drawn = Array.from({ length }, () => all[randomInt(all.length)]).join('');
  const isFit = wanted.every((characters) => [...drawn].some((character) => characters.includes(character)));
  return isFit ? drawn : password({ kind: 'password', length, symbols: hasSymbols });
}

const makePair = promisify(generateKeyPair);

async function makeKeyPair(algorithm: KeyAlgorithm): Promise<{ privateKey: string; publicKey: string }> {
  const { privateKey, publicKey } = await keysOf(algorithm);
  return {
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  };
}

function keysOf(algorithm: KeyAlgorithm) {
  if (algorithm === 'ed25519') return makePair('ed25519');
  if (algorithm === 'ec_p256') return makePair('ec', { namedCurve: 'P-256' });
  return makePair('rsa', { modulusLength: 3072 });
}
