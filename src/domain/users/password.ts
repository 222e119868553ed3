import { hash } from '@node-rs/argon2';
import { invalid, isPrintable, type Problem, tooMany } from '../../platform/http/index.ts';
import { isCommonPassword } from './common-passwords.ts';
import { isStrongEnough, verifyHash } from './hash-formats.ts';
import { readableSecret } from './readable-secret.ts';

// OWASP Password Storage Cheat Sheet: Argon2id, 19 MiB, two passes, one lane.
const argon2id = 2;
const parameters = { algorithm: argon2id, memoryCost: 19_456, timeCost: 2, parallelism: 1 };
const minLength = 8;
const maxLength = 1024;
const maxConcurrent = 4;
const maxWaiting = 64;

// Compared with if there is no such user, so that both cases take equally long.
const unknownUsersHash = hash('no user has this password', parameters);

let running = 0;
const waiting: (() => void)[] = [];

/** A hash, and the form of the password that was hashed. */
export type PasswordHash = { hash: string; form: 'as_typed' | 'nfc' };

type Named = { username: string; email?: string | null | undefined };

/**
 * The form in which passwords are hashed and compared, however a keyboard or an operating system composed them (RFC 8265 §4.2.2;
 * NIST SP 800-63B-4 §3.1.1.2): non-ASCII spaces become SPACE, then NFC. Case and width stay.
 */
function normalized(password: string): string {
  return password.replaceAll(/\p{Zs}/gu, ' ').normalize('NFC');
}

const problemDetails = {
  too_short: `Use at least ${minLength} characters.`,
  too_long: `Use at most ${maxLength} characters.`,
  unusable_characters: 'Leave out line breaks and other control characters: a sign-in page cannot send them.',
  own_name: 'Choose something other than your own name or e-mail address.',
  common: 'Choose another password: this one is common, or known from a data breach, so it is guessed first.',
};

type PasswordProblem = keyof typeof problemDetails;

/** What is wrong with a new password; undefined: nothing (NIST SP 800-63B-4 §3.1.1: length, a list, no composition rules). */
export async function passwordProblem(typed: string, person: Named): Promise<PasswordProblem | undefined> {
  const password = normalized(typed);
  if ([...password].length < minLength) return 'too_short';
  if (password.length > maxLength) return 'too_long';
  // A password field cannot contain them, so the user could not sign in (RFC 8265 §4.2.2 refuses them, too).
  if (!isPrintable(password)) return 'unusable_characters';
  const given = password.toLowerCase();
  const isOwnName = [person.username, person.email].some((name) => name?.toLowerCase() === given);
  if (isOwnName) return 'own_name';
  return (await isCommonPassword(password)) ? 'common' : undefined;
}

/**
 * The hash of a new password: Argon2id in PHC format, of the normalized form.
 *
 * @throws Problem `invalid`: too weak
 */
export async function hashNewPassword(password: string, person: Named): Promise<PasswordHash> {
  const problem = await passwordProblem(password, person);
  if (problem) throw invalid('/password', problemDetails[problem]);
  const form = normalized(password);
  return { hash: await bounded(() => hash(form, parameters)), form: 'nfc' };
}

/** An initial password of nearly 120 random bits. */
export function generatePassword(): string {
  return readableSecret({ groups: 4, perGroup: 6 });
}

/**
 * Whether the password is right. Without a stored hash it takes equally long, so that timing does not reveal which users exist. Each
 * attempt costs one hash: a password that was hashed as typed is compared as typed.
 */
export async function verifyPassword(stored: PasswordHash | undefined, password: string): Promise<boolean> {
  // A composed character may come as several.
  if (password.length > 4 * maxLength) return false;
  const form = stored?.form === 'as_typed' ? password : normalized(password);
  if (form.length > maxLength) return false;
  const fits = await bounded(async () => verifyHash(stored?.hash ?? (await unknownUsersHash), form));
  return fits && stored !== undefined;
}

/**
 * The form in which a matching password is stored from now on; undefined: it already is. It is hashed again only if the forms differ, or
 * if the hash of another system is weaker than ours.
 */
export async function renewedHash(stored: PasswordHash, password: string): Promise<PasswordHash | undefined> {
  if (stored.form === 'nfc') return undefined;
  const form = normalized(password);
  if (form === password && isStrongEnough(stored.hash)) return { hash: stored.hash, form: 'nfc' };
  return { hash: await bounded(() => hash(form, parameters)), form: 'nfc' };
}

/** Each hash takes 19 MiB and a core: few at a time, a short queue, then 429. */
async function bounded<T>(work: () => Promise<T>): Promise<T> {
  if (running >= maxConcurrent) {
    if (waiting.length >= maxWaiting) throw busy();
    await new Promise<void>((resolve) => waiting.push(resolve));
  }
  running += 1;
  try {
    return await work();
  } finally {
    running -= 1;
    waiting.shift()?.();
  }
}

/** How many hashes are being computed, and how many requests wait for their turn. */
export function hashingLoad(): { running: number; waiting: number } {
  return { running, waiting: waiting.length };
}

function busy(): Problem {
  return tooMany('Too many users are signing in at once. Try again in a moment.', 5);
}
