import { environmentVariable } from '../../../config.ts';
import {
  applyConfiguration,
  type Change,
  listPrunable,
  pruneConfiguration,
  readConfigurationFile,
} from '../../../domain/apply/index.ts';
import { type CommandContext, onInstallation } from './command-context.ts';
import { isConfirmed } from './input.ts';
import { answer, columns, note } from './output.ts';

type Options = { json?: boolean; dryRun?: boolean; prune?: boolean; yes?: boolean };
type Pruned = Awaited<ReturnType<typeof listPrunable>>;

export const apply = onInstallation(async ({ deps, actor }: CommandContext, path: string, options: Options) => {
  const file = await readConfigurationFile(path, environmentVariable);
  const dryRun = options.dryRun === true;
  const prunable = options.prune ? await listPrunable(deps, file) : [];
  const isPruning = await mayPrune(prunable, options);
  const planned = await applyConfiguration(deps, actor, file, { dryRun, missingSecrets: 'make' });
  const changes = dryRun ? planned.changes.map(withoutSecret) : planned.changes;
  const pruned: Pruned = dryRun ? prunable : [];
  try {
    for (const each of isPruning ? prunable : []) {
      await pruneConfiguration(deps, actor, [each]);
      pruned.push(each);
    }
  } finally {
    // Secrets generated a moment ago are shown now or never, whatever the result of the pruning.
    answer(options, { dry_run: dryRun, changes, pruned: pruned.map(({ of: _, ...each }) => each) }, [
      ...linesOf(changes, dryRun),
      ...prunedLines(pruned, dryRun),
    ]);
  }
}, 'file');

/** The secrets of a dry run were rolled back with it. */
function withoutSecret({ secret, ...change }: Change) {
  return { ...change, ...(secret && { secret_would_be_made: true }) };
}

function linesOf(changes: (Change | ReturnType<typeof withoutSecret>)[], dryRun: boolean): string[] {
  const rows = changes.map((change) => [
    `${dryRun ? 'would be ' : ''}${change.change}`,
    change.kind,
    change.id,
    [change.changed?.join(', '), secretNote(change)].filter(Boolean).join('; '),
  ]);
  const secrets = changes.flatMap((change) =>
    'secret' in change && change.secret ? [`${change.id}: ${change.secret}`] : [],
  );
  const shown =
    secrets.length > 0 ? ['', 'Created now and shown only this once:', ...secrets.map((line) => `  ${line}`)] : [];
  return [...columns(rows), ...shown];
}

function secretNote(change: object): string {
  return 'secret_would_be_made' in change ? 'a secret would be made' : '';
}

/** Asks before anything is changed. */
async function mayPrune(prunable: Pruned, options: Options): Promise<boolean> {
  if (prunable.length === 0 || options.dryRun) return false;
  for (const line of prunedLines(prunable, true)) note(line);
  const count = `${prunable.length} ${prunable.length === 1 ? 'entry' : 'entries'}`;
  return isConfirmed(`Disable or remove ${count} that the file does not name?`, {
    ...options,
    scripts: 'need --yes',
  });
}

function prunedLines(prunable: Pruned, isPlan: boolean): string[] {
  const rows = prunable.map(({ kind, id, refresh_families, access_tokens }) => [
    `${isPlan ? 'would be ' : ''}${kind.startsWith('role') ? 'taken away' : 'disabled'}`,
    kind,
    id,
    ['client', 'user', 'resource server'].includes(kind)
      ? `ends ${refresh_families} refresh token${refresh_families === 1 ? '' : 's'}, ${access_tokens} access token${access_tokens === 1 ? '' : 's'}`
      : '',
  ]);
  return columns(rows);
}
