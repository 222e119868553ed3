#!/usr/bin/env node
// Plain JavaScript that any Node understands: it starts the program on the pinned Node, which runs TypeScript directly.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import module from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import v8 from 'node:v8';
import { bundledEntry } from './bundle.js';

// Four threads of libuv's pool may be hashing passwords (src/domain/users/password.ts). The others are for what takes less than a
// millisecond: RSA signatures, verified assertions and proofs, which would otherwise wait for a hash. Set before the pool is used.
process.env.UV_THREADPOOL_SIZE ??= '8';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const [major, minor] = process.versions.node.split('.').map(Number);
const runsTypeScript = major > 22 || (major === 22 && minor >= 18);

if (runsTypeScript) {
  // Until the server has started (src/server/memory.ts).
  if (process.argv[2] === 'serve') v8.setFlagsFromString('--semi-space-growth-factor=1');
  // Compiled code is kept between runs: commands start in half the time. Not in the shared temporary folder, where another
  // account could plant code.
  module.enableCompileCache(path.join(root, 'node_modules', '.cache', 'latchkey'));
  const bundled = bundledEntry(root);
  await import(bundled ? pathToFileURL(bundled).href : '../src/server/latchkey.ts');
} else {
  const pinned = path.join(root, 'node_modules', '.bin', process.platform === 'win32' ? 'node.cmd' : 'node');
  if (!existsSync(pinned)) {
    process.stderr.write(`latchkey needs Node 22.18 or later, and this is ${process.versions.node}: run "npm ci" without --omit=optional, or install a newer Node.\n`);
    process.exit(1);
  }
  const child = spawn(pinned, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' });
  // Ctrl-C reaches the child by itself; what only we are sent is passed on.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  child.on('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 1)));
}
