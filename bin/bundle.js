// Plain JavaScript that any Node understands. A bundle holds the program's modules in a few files: a start that finds, reads and
// compiles these in place of two thousand takes half the time, and the server needs a fifth less memory. `npm ci` makes one
// (make-bundle.js). The sources remain what counts: a start takes the bundle only if it was made of exactly these.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';

/** Its first module, which is src/server/latchkey.ts. */
const entry = 'latchkey.js';

const sources = ['src', 'packages/secrets/src'];
const others = ['bin/make-bundle.js', 'package-lock.json'];

/** Where bundles are, each in a folder named by the digest of what it was made of. */
export const bundlesOf = (root) => path.join(root, 'node_modules', '.cache', 'latchkey', 'bundles');

/**
 * Differs when anything differs that goes into a bundle: our sources, the versions of the libraries, and where they are. Size and time of
 * change are compared, as `make` does, because reading eight hundred files would cost a command a third of its time.
 */
export function digestOf(root) {
  const modules = sources.flatMap((folder) =>
    existsSync(path.join(root, folder))
      ? readdirSync(path.join(root, folder), { recursive: true }).map((name) => path.join(folder, name))
      : [],
  );
  const hash = createHash('sha256').update(`${root}\n`);
  for (const file of [...others, ...modules.filter((name) => name.endsWith('.ts')).sort()]) {
    const { size = 0, mtimeMs = 0 } = statSync(path.join(root, file), { throwIfNoEntry: false }) ?? {};
    // Whole seconds: archives and container images keep no more.
    hash.update(`${file} ${size} ${Math.floor(mtimeMs / 1000)}\n`);
  }
  return hash.digest('hex').slice(0, 32);
}

/** The module to start with, in the bundle of the present sources; undefined where there is none. */
export function bundledEntry(root) {
  if (!existsSync(bundlesOf(root))) return undefined;
  const file = path.join(bundlesOf(root), digestOf(root), entry);
  return existsSync(file) ? file : undefined;
}
