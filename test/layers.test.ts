import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const root = path.join(import.meta.dirname, '..');

/** Files that must be refused, with their imports. */
const refused: Record<string, string> = {
  'src/platform/http/planted-domain.ts': '../../domain/access/index.ts',
  'src/platform/http/planted-config.ts': '../../config.ts',
  'src/platform/http/planted-past-index.ts': '../crypto/digest.ts',
  'src/domain/users/planted-entrypoint.ts': '../../entrypoints/gateway/index.ts',
  'src/domain/users/planted-server.ts': '../../server/installation.ts',
  'src/domain/users/planted-past-index.ts': '../clients/store.ts',
  'src/domain/users/planted-platform.ts': '../../platform/http/problems.ts',
  'src/domain/api-keys/limits/planted-past-index.ts': '../../clients/store.ts',
  'src/domain/api-keys/limits/planted-entrypoint.ts': '../../../entrypoints/admin/index.ts',
  'src/entrypoints/gateway/planted-server.ts': '../../server/services.ts',
  'src/entrypoints/gateway/planted-past-index.ts': '../../domain/access/permissions.ts',
  'src/entrypoints/gateway/planted-other.ts': '../oauth/endpoints.ts',
  'src/entrypoints/cli/planted-server.ts': '../../server/installation.ts',
  'src/entrypoints/pages/console/clients/planted-account.ts': '../../account/sessions.ts',
  'src/entrypoints/pages/console/planted-other.ts': '../../oauth/endpoints.ts',
  'src/entrypoints/pages/console/planted-account.ts': '../account/sessions.ts',
  'src/entrypoints/pages/records/planted-console.ts': '../console/console.ts',
  'src/server/planted-past-index.ts': '../domain/access/permissions.ts',
  'packages/guard/src/planted-server.ts': '../../../src/domain/access/index.ts',
};

/** Two files that import each other, even if only types. */
const cycle: Record<string, string> = {
  'src/domain/users/planted-one.ts': './planted-two.ts',
  'src/domain/users/planted-two.ts': './planted-one.ts',
};

describe('Biome, the last step of `npm run check`,', () => {
  let found: string[] = [];

  beforeAll(async () => {
    const copy = await mkdtemp(path.join(os.tmpdir(), 'latchkey-layers-'));
    for (const name of ['src', 'packages', 'biome.json', 'package.json'])
      await cp(path.join(root, name), path.join(copy, name), { recursive: true });
    for (const [file, imported] of Object.entries(refused))
      await writeFile(path.join(copy, file), `import * as planted from '${imported}';\nexport const all = planted;\n`);
    for (const [file, imported] of Object.entries(cycle))
      await writeFile(
        path.join(copy, file),
        `import type { Other } from '${imported}';\nexport type Other = Other[];\n`,
      );
    found = await errorsIn(copy);
    await rm(copy, { recursive: true });
  });

  test.each(Object.entries(refused))('refuses that %s imports %s', (file) => {
    expect(found).toContain(`${file}: lint/style/noRestrictedImports`);
  });

  test.each(Object.keys(cycle))('refuses %s, which is part of a cycle', (file) => {
    expect(found).toContain(`${file}: lint/suspicious/noImportCycles`);
  });

  test('refuses nothing else', () => {
    expect(found.filter((error) => !error.includes('planted'))).toEqual([]);
  });
});

/** The errors that Biome reports in a folder, as `file: rule`. */
async function errorsIn(folder: string): Promise<string[]> {
  const biome = path.join(root, 'node_modules/.bin/biome');
  const flags = ['lint', '--reporter=json', '--max-diagnostics=none', '--diagnostic-level=error', '.'];
  const outcome: { stdout: string } = await promisify(execFile)(biome, flags, {
    cwd: folder,
    maxBuffer: 64 * 1024 * 1024,
  }).catch((error) => error);
  const { diagnostics } = JSON.parse(outcome.stdout) as {
    diagnostics: { category: string; location: { path: string } }[];
  };
  return diagnostics.map(({ category, location }) => `${location.path}: ${category}`);
}
