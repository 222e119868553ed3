import { readFile } from 'node:fs/promises';
import { importRealm } from '../../../domain/keycloak/index.ts';
import { invalid } from '../../../platform/http/index.ts';
import { type CommandContext, onInstallation } from './command-context.ts';
import { answer, columns } from './output.ts';

type Options = { json?: boolean; apply?: boolean };

const mostBytes = 512 * 1024 * 1024;

export const importKeycloak = onInstallation(
  async ({ deps, actor }: CommandContext, path: string, options: Options) => {
    const content = await readJson(path);
    const dryRun = options.apply !== true;
    const { changes, unmatched } = await importRealm(deps, actor, { content, dryRun });
    const done = changes.map(({ kind, id, change }) => ({ kind, id, change }));
    answer(options, { dry_run: dryRun, changes: done, unmatched }, [
      ...columns(done.map(({ kind, id, change }) => [`${dryRun ? 'would be ' : ''}${change}`, kind, id])),
      ...(unmatched.length > 0 ? ['', 'To be decided by you:'] : []),
      ...columns(unmatched.map(({ kind, name, problem }) => [kind, name, problem])),
      ...(dryRun ? ['', 'Nothing was changed. To import it, add --apply.'] : []),
    ]);
  },
);

async function readJson(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw invalid('', `Cannot read ${path} (${error.code}).`);
  });
  if (text.length > mostBytes) throw invalid('', `${path} is larger than 512 MiB.`);
  try {
    return JSON.parse(text);
  } catch {
    throw invalid('', `${path} is not JSON.`);
  }
}
