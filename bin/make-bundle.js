// Makes the bundle of the present sources in place of earlier ones (bundle.js). `npm ci` runs it (package.json, "prepare").
import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { bundlesOf, digestOf } from './bundle.js';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/**
 * What remains outside. Examples are no part of the program: the demo runs them from their sources, and a production image has none.
 * Libraries that are imported only when they are needed stay where they are: in a file of its own, esbuild gives a CommonJS module no
 * export but `default`.
 */
const outside = {
  name: 'outside',
  setup({ onResolve }) {
    onResolve({ filter: /\/examples\// }, ({ path: name, resolveDir }) => ({
      path: pathToFileURL(path.resolve(resolveDir, name)).href,
      external: true,
    }));
    onResolve({ filter: /^[^.]/ }, ({ path: name, kind }) =>
      kind === 'dynamic-import' ? { path: name, external: true } : undefined,
    );
  },
};

/** @type {import('esbuild').BuildOptions} */
const options = {
  entryPoints: [path.join(root, 'src/server/latchkey.ts')],
  absWorkingDir: root,
  bundle: true,
  // What the program imports only when it needs it remains in files of its own.
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node22',
  // Packages are resolved as Node resolves them.
  conditions: [],
  mainFields: ['main'],
  // They look for files beside themselves.
  external: ['@node-rs/*'],
  plugins: [outside],
  // oidc-provider calls its models by the names of their classes.
  keepNames: true,
  // The code is kept in memory; lines remain, for the traces of errors.
  minifySyntax: true,
  minifyWhitespace: true,
  lineLimit: 160,
  // Libraries that are CommonJS modules require those of Node.
  banner: { js: "import { createRequire as requireFor } from 'node:module'; const require = requireFor(import.meta.url);" },
  logLevel: 'error',
};

async function makeBundle(build) {
  const folder = bundlesOf(root);
  const digest = digestOf(root);
  mkdirSync(folder, { recursive: true });
  const earlier = readdirSync(folder);
  if (earlier.includes(digest)) return;
  const unfinished = path.join(folder, `unfinished-${process.pid}`);
  await build({ ...options, outdir: unfinished });
  for (const name of earlier) rmSync(path.join(folder, name), { recursive: true, force: true });
  renameSync(unfinished, path.join(folder, digest));
}

// esbuild may be left out, as other optional dependencies, and the program needs no bundle: no install fails for want of one.
try {
  const { build } = await import('esbuild');
  await makeBundle(build);
} catch (error) {
  process.stderr.write(`No bundle was made, so Latchkey starts from its sources, which takes longer: ${error.message}\n`);
}
