import { hash, verify } from '@node-rs/argon2';
import { type Problem, tooMany } from '../platform/http/index.ts';

// OWASP Password Storage Cheat Sheet: Argon2id, 19 MiB, two passes, one lane.
const argon2id = 2;
const parameters = { algorithm: argon2id, memoryCost: 19_456, timeCost: 2, parallelism: 1 };
const minLength = 8;
const maxLength = 1024;
const maxConcurrent = 4;
const maxWaiting = 64;

// Something to compare with where there is no such person, so that both take as long.
const nobodysHash = hash('nobody has this password', parameters);

let running = 0;
const waiting: (() => void)[] = [];

/** What is wrong with a new password; undefined when nothing is (NIST SP 800-63B §3.1.1: length, no composition rules). */
export function passwordProblem(
  password: string,
  person: { username: string; email?: string | undefined },
): string | undefined {
  if ([...password].length < minLength) return `Use at least ${minLength} characters.`;
  if (password.length > maxLength) return `Use at most ${maxLength} characters.`;
  const given = password.toLowerCase();
  const isOwnName = [person.username, person.email].some((name) => name?.toLowerCase() === given);
  return isOwnName ? 'Choose something other than your own name or e-mail address.' : undefined;
}

/** Argon2id in PHC format. */
export async function hashPassword(password: string): Promise<string> {
  return bounded(() => hash(password, parameters));
}

/** Whether the password fits; as slow where there is no hash, so that time tells nobody who exists. */
export async function verifyPassword(stored: string | undefined, password: string): Promise<boolean> {
  if (password.length > maxLength) return false;
  const fits = await bounded(async () => verify(stored ?? (await nobodysHash), password));
  return fits && stored !== undefined;
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

function busy(): Problem {
  return tooMany('Too many people are signing in at once. Try again in a moment.', 5);
}
