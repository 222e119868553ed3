import { pbkdf2, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { verify as verifyArgon2 } from '@node-rs/argon2';
import { verify as verifyBcrypt } from '@node-rs/bcrypt';

/** A format of password hashes from other systems, with the bounds of their cost. */
type HashFormat = {
  name: string;
  pattern: RegExp;
  /** The problem with the parts of a hash; undefined: none. */
  problem: (parts: readonly string[]) => string | undefined;
  verify: (hash: string, password: string, parts: readonly string[]) => Promise<boolean>;
};

// The most that verification may cost: memory for each of the concurrent hashes, and about two seconds of a core.
const mostKib = 262_144;

const tooCheap = (what: string) => `is too cheap to guess: ${what}`;
const tooCostly = (what: string) => `is too costly to verify: ${what}`;
const base64 = (text: string) => Buffer.from(text.replaceAll('.', '+'), 'base64');

/** Checks the sizes of salt and digest: short ones can be guessed, long ones are not a password hash. */
function sizeProblem(salt: string, tag: string): string | undefined {
  const [salted, tagged] = [base64(salt).length, base64(tag).length];
  if (salted < 8 || salted > 64) return 'must have a salt of 8 to 64 bytes';
  return tagged < 16 || tagged > 128 ? 'must have a digest of 16 to 128 bytes' : undefined;
}

const argon2: HashFormat = {
  name: 'argon2',
  pattern: /^\$argon2(?:id|i|d)\$v=19\$m=(\d{1,9}),t=(\d{1,4}),p=(\d{1,3})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/,
  problem: ([memory, passes, lanes, salt = '', tag = '']) => {
    const [m, t, p] = [Number(memory), Number(passes), Number(lanes)] as const;
    if (t < 1 || p < 1 || m < 8 * p)
      return 'must have t and p of at least 1, and m of at least 8 times p (RFC 9106 §3.1)';
    // OWASP Password Storage Cheat Sheet: its cheapest alternative is 12 MiB with three passes.
    if (m * t < 12_288) return tooCheap('m times t must be at least 12288');
    if (m > mostKib) return tooCostly(`m may be at most ${mostKib}`);
    if (m * t > 8 * mostKib || p > 16) return tooCostly(`m times t may be at most ${8 * mostKib}, and p 16`);
    return sizeProblem(salt, tag);
  },
  verify: (hash, password) => verifyArgon2(hash, password),
};

const bcrypt: HashFormat = {
  name: 'bcrypt',
  pattern: /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/,
  problem: ([cost]) => {
    if (Number(cost) < 8) return tooCheap('the cost must be at least 08');
    return Number(cost) > 14 ? tooCostly('the cost may be at most 14') : undefined;
  },
  verify: (hash, password) => verifyBcrypt(password, hash),
};

const scryptFormat: HashFormat = {
  name: 'scrypt',
  pattern: /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,3}),p=(\d{1,3})\$([A-Za-z0-9+/.]+={0,2})\$([A-Za-z0-9+/.]+={0,2})$/,
  problem: ([ln, blocks, lanes, salt = '', tag = '']) => {
    const [N, r, p] = [2 ** Number(ln), Number(blocks), Number(lanes)] as const;
    if (r < 1 || p < 1) return 'must have r and p of at least 1 (RFC 7914 §2)';
    if (N * r < 2 ** 17) return tooCheap('2^ln times r must be at least 131072');
    if ((128 * N * r) / 1024 > mostKib) return tooCostly(`2^ln times r may be at most ${mostKib * 8}`);
    if (N * r * p > 2 ** 23) return tooCostly('2^ln times r times p may be at most 8388608');
    return sizeProblem(salt, tag);
  },
  verify: (_, password, [ln, r, p, salt = '', tag = '']) => {
    const cost = { N: 2 ** Number(ln), r: Number(r), p: Number(p), maxmem: 2 * mostKib * 1024 };
    return matches(tag, (length) => derive(password, { salt: base64(salt), length, cost }));
  },
};

type Scrypt = { salt: Buffer; length: number; cost: { N: number; r: number; p: number; maxmem: number } };

function derive(password: string, { salt, length, cost }: Scrypt): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password, salt, length, cost, (error, key) => (error ? reject(error) : resolve(key)));
  });
}

const pbkdf2Format: HashFormat = {
  name: 'pbkdf2',
  // PHC, and the variant of passlib, without parameter names and with "." instead of "+".
  pattern:
    /^\$pbkdf2-(sha256|sha512)\$(?:i=)?(\d{1,9})(?:,l=\d{1,3})?\$([A-Za-z0-9+/.]+={0,2})\$([A-Za-z0-9+/.]+={0,2})$/,
  problem: ([, iterations, salt = '', tag = '']) => {
    if (Number(iterations) < 10_000) return tooCheap('at least 10000 iterations are needed');
    if (Number(iterations) > 2_000_000) return tooCostly('it may have at most 2000000 iterations');
    return sizeProblem(salt, tag);
  },
  verify: (_, password, [algorithm = '', iterations, salt = '', tag = '']) =>
    matches(tag, (length) => promisify(pbkdf2)(password, base64(salt), Number(iterations), length, algorithm)),
};

async function matches(tag: string, compute: (length: number) => Promise<Buffer>): Promise<boolean> {
  const expected = base64(tag);
  return timingSafeEqual(await compute(expected.length), expected);
}

const formats: readonly HashFormat[] = [argon2, bcrypt, scryptFormat, pbkdf2Format];

function formatOf(hash: string): { format: HashFormat; parts: readonly string[] } | undefined {
  for (const format of formats) {
    const found = format.pattern.exec(hash);
    if (found) return { format, parts: found.slice(1) };
  }
  return undefined;
}

/** Why a hash of another system cannot be imported, as the end of a sentence; undefined: it can. */
export function hashProblem(hash: string): string | undefined {
  const found = formatOf(hash);
  if (!found)
    return 'must be a hash of argon2, bcrypt, scrypt or pbkdf2 (SHA-256 or SHA-512) in PHC or modular crypt format';
  const problem = found.format.problem(found.parts);
  return problem && `(${found.format.name}) ${problem}`;
}

/** Whether a password fits a hash in any of the formats. */
export async function verifyHash(hash: string, password: string): Promise<boolean> {
  const found = formatOf(hash);
  return found !== undefined && found.format.verify(hash, password, found.parts);
}

/** Whether a hash is at least as strong as our own. */
export function isStrongEnough(hash: string): boolean {
  const [, memory, passes] = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=\d+\$/.exec(hash) ?? [];
  return Number(memory) >= 19_456 && Number(passes) >= 2;
}
