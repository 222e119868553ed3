import {
  type CutDeps,
  checkRestore,
  type Gap,
  planRestoreCheck,
  type Reapplied,
  type RestoreInput,
  type RestoreReport,
} from '../../../domain/restore/index.ts';
import { invalid } from '../../../platform/http/index.ts';
import { Head, publicKeysIn } from './audit-proof.ts';
import { type CommandContext, onInstallation } from './command-context.ts';
import { isConfirmed, parsed } from './input.ts';
import { answer, columns, note } from './output.ts';

type Options = {
  json?: boolean;
  head?: string;
  keys?: string;
  unproved?: boolean;
  revokeAll?: boolean;
  dryRun?: boolean;
  yes?: boolean;
};

export const restoreCheck = onInstallation(async (place: CommandContext, files: string[], options: Options) => {
  const input = await inputOf(files, options);
  const deps = depsOf(place);
  const plan = await planRestoreCheck(deps, input);
  const question = `${whereIt(plan)} Revoke again what was revoked since${input.revokesAll ? ', and every restored token, session and API key' : ''}?`;
  const isDry = options.dryRun === true;
  const goesOn = !isDry && (await isConfirmed(question, { ...options, scripts: 'need --yes' }));
  const report = goesOn ? await checkRestore(deps, place.actor, input) : plan;
  answer(options, { dry_run: !goesOn, ...report }, [...linesOf(report), ...(goesOn ? [] : ['Nothing changed.'])]);
  const isLeft =
    report.reapplied.some(({ result }) => result === 'failed') || (report.gap !== null && !input.revokesAll);
  if (!isLeft) return;
  if (report.gap && !input.revokesAll)
    note('What was revoked in the missing segments is unknown: find their events, or run this with --revoke-all.');
  process.exitCode = 1;
});

async function inputOf(files: string[], options: Options): Promise<RestoreInput> {
  if (files.length === 0 && !options.head && !options.revokeAll)
    throw invalid(
      '',
      'Name files of events from before the restore (latchkey audit export, webhook messages, standard output), a noted --head, or --revoke-all.',
    );
  return {
    files,
    head: parsed(Head.optional(), options.head, '--head'),
    keys: options.keys ? await publicKeysIn(options.keys) : new Map(),
    acceptsUnproved: options.unproved === true,
    revokesAll: options.revokeAll === true,
  };
}

function depsOf({ installation, deps }: CommandContext): CutDeps {
  // Receivers are only disabled here.
  return { ...deps, rootKey: installation.rootKey, allowHttp: true };
}

function whereIt({ restored_head, newest_head, missing, gap }: RestoreReport): string {
  const { events, first, last } = missing;
  if (events === 0 && !gap) {
    return newest_head
      ? 'Nothing is missing here.'
      : 'Without files or a noted head, the command cannot tell what is missing.';
  }
  const at = restored_head
    ? `The database was restored to segment ${restored_head.number}${sealedAt(restored_head.sealed_at)}. `
    : '';
  const lacks = events > 0 ? `It lacks ${events} events of ${first} to ${last}. ` : '';
  return `${at}${lacks}${gap ? sentenceOf(gap) : ''}`.trimEnd();
}

const sealedAt = (time: Date | null) => (time ? ` (sealed ${time.toISOString()})` : '');

function sentenceOf({ segments, since }: Gap): string {
  const count = segments.reduce((sum, [from, to]) => sum + to - from + 1, 0);
  const names = segments.map(([from, to]) => (from === to ? String(from) : `${from}-${to}`)).join(', ');
  const from = since ? ` since ${since.toISOString()}` : '';
  return `${count} segments of events${from} are neither here nor in the files: ${names}.`;
}

function linesOf(report: RestoreReport): string[] {
  const { cut, revoked_all, refresh_families, reapplied, to_decide } = report;
  const reported = reapplied.filter(({ result }) => result !== 'nothing');
  const nothing = reapplied.length - reported.length;
  return [
    whereIt(report),
    ...(cut
      ? [
          `Replaced ${cut.signing_keys.length} signing keys, closed all status lists, revoked ${cut.jwt_access_tokens} JWT access tokens and ${cut.one_time_credentials} codes.`,
        ]
      : []),
    ...(revoked_all
      ? [
          `Revoked ${revoked_all.sessions} sessions, ${revoked_all.refresh_families} refresh tokens, ${revoked_all.access_tokens} access tokens, ${revoked_all.api_keys} API keys and ${revoked_all.password_links} one-time links.`,
        ]
      : []),
    ...(refresh_families > 0 ? [`Refresh tokens older than those that apps have: ${refresh_families}.`] : []),
    ...(reported.length > 0 ? ['', 'Revoked since the backup:', ...columns(reported.map(rowOf))] : []),
    ...(nothing > 0 ? [`${nothing} more had not come back.`] : []),
    ...(to_decide.length > 0
      ? [
          '',
          'To decide:',
          ...columns(to_decide.map((each) => [each.occurred_at, each.action, each.target, each.advice])),
        ]
      : []),
  ];
}

function rowOf({ occurred_at, action, target, says, result, reason }: Reapplied): string[] {
  const outcome = {
    'would end': `would be: ${says}`,
    ended: says,
    nothing: '',
    'done before': 'done before',
    failed: '',
  };
  return [occurred_at, action, target, result === 'failed' ? `failed: ${reason}` : outcome[result]];
}
