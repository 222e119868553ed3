import type { Db } from '../../platform/database/index.ts';
import { type Actor, conflict } from '../../platform/http/index.ts';
import {
  appendEvent,
  detailsOfAction,
  findHead,
  logEnds,
  type NotedHead,
  type PublicKeys,
  sealKeys,
} from '../audit/index.ts';
import { type Cut, type CutDeps, cut, revokeAll, stepsDone } from './cut.ts';
import { type LaterLog, readLaterEvents } from './later-events.ts';
import { planned, planOf, type Reapplied, reapply, revokeStaleFamilies, type ToDecide } from './reapply.ts';

export type RestoreInput = {
  /** Exports of the audit log, bodies that a webhook received, standard output of servers. */
  files: readonly string[];
  /** A head of the log that was noted elsewhere before the restore. */
  head?: NotedHead | undefined;
  /** Public keys of the log beside those of the restored database. */
  keys: PublicKeys;
  /** Accepts events without a signed seal. */
  acceptsUnproved: boolean;
  /** Revokes all restored credentials, API keys included. */
  revokesAll: boolean;
};

/** Segments that neither this database nor the files contain: their revocations are unknown. */
export type Gap = {
  /** The numbers, from and to. */
  segments: [number, number][];
  since: Date | null;
};

export type RestoreReport = {
  restored_head: (NotedHead & { sealed_at: Date | null }) | null;
  newest_head: NotedHead | null;
  missing: LaterLog['missing'];
  unproved: number;
  gap: Gap | null;
  /** Revocations without an event; undefined: they were done before. */
  cut?: Cut | undefined;
  revoked_all?: Record<string, number> | undefined;
  /** Families whose restored refresh token is out of date; in a plan, the maximum number. */
  refresh_families: number;
  reapplied: Reapplied[];
  to_decide: ToDecide[];
};

type Found = { log: LaterLog; gap: Gap | null; restore: string };

/**
 * The effects of a restore, by the events that this database lacks. Changes nothing.
 *
 * @throws Problem `invalid`: a file cannot be read; `conflict`: a file is not trusted, or contradicts the noted head
 */
export async function planRestoreCheck(deps: CutDeps, input: RestoreInput): Promise<RestoreReport> {
  const { log, gap } = await look(deps, input);
  const plan = planOf(believed(log, input));
  return {
    ...told(log, gap),
    refresh_families: plan.families.size,
    reapplied: planned(plan),
    to_decide: plan.to_decide,
  };
}

/**
 * Repeats the revocations since the backup, and reports the rest. Repeating it changes and records nothing more; an interrupted run is
 * completed by the next.
 *
 * @throws Problem as `planRestoreCheck`
 */
export async function checkRestore(deps: CutDeps, actor: Actor, input: RestoreInput): Promise<RestoreReport> {
  const { log, gap, restore } = await look(deps, input);
  const plan = planOf(believed(log, input));
  const done = await stepsDone(deps, restore);
  const revoked_all = input.revokesAll && !done.revokedAll ? await revokeAll(deps, actor, restore) : undefined;
  const ended = done.cut ? undefined : await cut(deps, actor, restore);
  const refresh_families = await revokeStaleFamilies(deps, actor, plan);
  const reapplied = await reapply(deps, actor, plan);
  const report = { ...told(log, gap), cut: ended, revoked_all, refresh_families, reapplied, to_decide: plan.to_decide };
  await noteChecked(deps, actor, restore, report);
  return report;
}

async function look({ db, keys }: CutDeps, input: RestoreInput): Promise<Found> {
  const own = (await sealKeys(keys)).map(({ kid, publicKey }) => [kid, publicKey] as const);
  const publicKeys: PublicKeys = new Map([...own, ...input.keys]);
  const log = await readLaterEvents(db, input.files, { keys: publicKeys, noted: input.head });
  const newest = newestOf(log.newest, input.head);
  const restored_head = log.restored_head ?? (await restoredByHead(db, input));
  const known = { ...log, restored_head, newest };
  return { log: known, gap: gapOf(known), restore: nameOf(log, input) };
}

const newestOf = (a: NotedHead | undefined, b: NotedHead | undefined) => ((b?.number ?? 0) > (a?.number ?? 0) ? b : a);

/** Without files: if the chain contains the noted head, nothing is missing; otherwise the backup was made here, or before. */
async function restoredByHead(db: Db, { head, files }: RestoreInput): Promise<LaterLog['restored_head']> {
  const { last } = await logEnds(db);
  if (!head) return files.length > 0 ? undefined : last;
  const own = await findHead(db, head.number);
  if (own?.head === head.head) return own;
  return own ? findHead(db, head.number - 1) : last;
}

function gapOf({ restored_head, newest, covered }: LaterLog): Gap | null {
  if (!newest) return null;
  const first = (restored_head?.number ?? 0) + 1;
  const there = [...covered].filter((number) => number >= first).sort((a, b) => a - b);
  const segments: Gap['segments'] = [];
  let next = first;
  for (const number of [...there, newest.number + 1]) {
    if (number > next) segments.push([next, number - 1]);
    next = Math.max(next, number + 1);
  }
  return segments.length > 0 ? { segments, since: restored_head?.sealed_at ?? null } : null;
}

/** Identifies a restore by the segment that it went back to, or by the missing head. */
function nameOf({ restored_head }: LaterLog, { head }: RestoreInput): string {
  if (restored_head) return `${restored_head.number}:${restored_head.head}`;
  return head ? `before ${head.number}:${head.head}` : '';
}

function believed({ events, unproved }: LaterLog, { acceptsUnproved }: RestoreInput): LaterLog['events'] {
  if (unproved > 0 && !acceptsUnproved)
    throw conflict(
      `${unproved} events are not covered by a signed head in the files, for example those of a webhook that receives only some actions. Nothing was changed. Pass an export or the messages of all actions, or add --unproved to accept them.`,
    );
  return events;
}

function told(log: LaterLog, gap: Gap | null) {
  const { restored_head = null, newest = null, missing, unproved } = log;
  return { restored_head, newest_head: newest, missing, unproved, gap };
}

async function noteChecked(deps: CutDeps, actor: Actor, restore: string, report: RestoreReport): Promise<void> {
  const { missing, gap, cut: ended, revoked_all, refresh_families, reapplied } = report;
  const isNew = reapplied.some(({ result }) => result === 'ended') || refresh_families > 0 || ended || revoked_all;
  const noted = await detailsOfAction(deps.db, 'restore.checked');
  if (!isNew && noted.some((details) => details.restore === restore)) return;
  const details = {
    restore,
    missing: missing.events,
    gap: gap?.segments ?? [],
    ended: reapplied.filter(({ result }) => result === 'ended').length,
    failed: reapplied.filter(({ result }) => result === 'failed').length,
    refresh_families,
    to_decide: report.to_decide.length,
  };
  await deps.db
    .transaction()
    .execute((trx) => appendEvent(trx, { actor, action: 'restore.checked', details, occurred_at: deps.now() }));
}
