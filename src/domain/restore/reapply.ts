import { z } from 'zod';
import type { Trx } from '../../platform/database/index.ts';
import { type Actor, notFound, Problem } from '../../platform/http/index.ts';
import { appendEvent, detailsOfAction } from '../audit/index.ts';
import { revokeFamilies } from '../tokens/index.ts';
import { type Ending, orNothing, type ReapplyDeps } from './consequence.ts';
import type { LaterEvent } from './later-event.ts';
import type { FollowedEvent } from './later-events.ts';

/** A revocation that was repeated, or would be. */
export type Reapplied = {
  event_id: string;
  occurred_at: string;
  action: string;
  target: string;
  says: string;
  /** `nothing`: the backup does not contain it, so it was not restored. `failed`: see `reason`. */
  result: 'would end' | 'ended' | 'nothing' | 'done before' | 'failed';
  reason?: string;
};

/** A change that an administrator must decide on. */
export type ToDecide = Pick<Reapplied, 'event_id' | 'occurred_at' | 'action' | 'target'> & {
  advice: string;
  details: Record<string, unknown>;
};

/** An event whose revocation is to be repeated. */
type PlannedEnding = { event: LaterEvent; ending: Exclude<Ending, { kind: 'family' }> & { says: string } };

export type Plan = { endings: PlannedEnding[]; families: Set<string>; to_decide: ToDecide[] };

const familiesAtOnce = 500;
// Their ids are never reused, so an unknown one needs no note.
const passing = /^(session|grant|consent|access_token|refresh_token)\./;

/** The consequences of the events: what to repeat, and what an administrator must decide. */
export function planOf(events: readonly FollowedEvent[]): Plan {
  const plan: Plan = { endings: [], families: new Set(), to_decide: [] };
  const givenBack = lastAssignments(events);
  for (const [n, { event, consequence }] of events.entries()) {
    const { ending, advice } = consequence;
    if (ending?.kind === 'family') plan.families.add(ending.family_id);
    else if (ending && !isGivenBack(event, n, givenBack)) plan.endings.push({ event, ending });
    if (advice !== undefined) plan.to_decide.push({ ...nameOf(event), advice, details: event.details });
  }
  return plan;
}

const assignmentOf = ({ target_id, details }: LaterEvent) => `${target_id} ${details.role} ${details.trust_id ?? ''}`;

function lastAssignments(events: readonly FollowedEvent[]): ReadonlyMap<string, number> {
  return new Map(
    events.flatMap(({ event }, n) => (event.action === 'role.assigned' ? [[assignmentOf(event), n] as const] : [])),
  );
}

/** A role that was unassigned and assigned again is assigned in the end. */
function isGivenBack(event: LaterEvent, n: number, givenBack: ReadonlyMap<string, number>): boolean {
  return event.action === 'role.unassigned' && (givenBack.get(assignmentOf(event)) ?? -1) > n;
}

function nameOf({ id, occurred_at, action, target_kind, target_id }: LaterEvent) {
  return { event_id: id, occurred_at, action, target: [target_kind, target_id].filter(Boolean).join(' ') };
}

/** The revocations that would be repeated. */
export function planned({ endings }: Plan): Reapplied[] {
  return endings.map(({ event, ending }) => ({ ...nameOf(event), says: ending.says, result: 'would end' as const }));
}

/** Repeats the revocations in the order of their events. A failure is reported and does not stop the others. */
export async function reapply(deps: ReapplyDeps, actor: Actor, { endings }: Plan): Promise<Reapplied[]> {
  const notes = await detailsOfAction(deps.db, 'restore.reapplied');
  const done = new Set(notes.map(({ event_id }) => event_id));
  const results: Reapplied[] = [];
  for (const planned of endings) {
    const { event, ending } = planned;
    const named = { ...nameOf(event), says: ending.says };
    if (done.has(event.id)) results.push({ ...named, result: 'done before' });
    else results.push({ ...named, ...(await reapplyOne(deps, actor, planned)) });
  }
  return results;
}

async function reapplyOne(
  deps: ReapplyDeps,
  actor: Actor,
  planned: PlannedEnding,
): Promise<Pick<Reapplied, 'result' | 'reason'>> {
  try {
    return { result: (await end(deps, actor, planned)) ? 'ended' : 'nothing' };
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return { result: 'failed', reason: error.message };
  }
}

/** A refusal of a verb, or a value that the database does not accept. */
function isRefusal(error: unknown): error is Error {
  if (error instanceof Problem) return true;
  return error instanceof Error && 'code' in error && /^22/.test(String(error.code));
}

/** A repeated revocation commits together with its note: repeating it once more later would undo changes made since. */
async function end(deps: ReapplyDeps, actor: Actor, { event, ending }: PlannedEnding): Promise<boolean> {
  const ended = await orNothing(
    deps.db.transaction().execute(async (trx) => {
      const within = { ...deps, db: trx };
      const hasEnded =
        ending.kind === 'verb'
          ? await ending.end(within, actor).then(() => true)
          : Boolean(await ending.end(trx, deps.now()));
      if (!hasEnded) throw notFound('target of the event', event.id);
      await note(trx, deps, actor, { event, ended: true });
      return true;
    }),
  );
  if (ended || passing.test(event.action)) return ended === true;
  await deps.db.transaction().execute((trx) => note(trx, deps, actor, { event, ended: false }));
  return false;
}

async function note(
  trx: Trx,
  { now }: Pick<ReapplyDeps, 'now'>,
  actor: Actor,
  { event, ended }: { event: LaterEvent; ended: boolean },
): Promise<void> {
  const { id: event_id, action, occurred_at, target_kind: kind, target_id: id } = event;
  const target = kind !== null && id !== null ? { target: { kind, id } } : {};
  const details = { event_id, action, occurred_at, ended };
  await appendEvent(trx, { actor, action: 'restore.reapplied', ...target, details, occurred_at: now() });
}

/** Revokes families whose restored refresh tokens are older than those that clients hold. @returns the number that was active */
export async function revokeStaleFamilies(deps: ReapplyDeps, actor: Actor, { families }: Plan): Promise<number> {
  const ids = [...families].filter((id) => z.uuid().safeParse(id).success);
  let count = 0;
  for (let from = 0; from < ids.length; from += familiesAtOnce) {
    const some = ids.slice(from, from + familiesAtOnce);
    count += await deps.db.transaction().execute(async (trx) => {
      const revoked_at = deps.now();
      const ended = await revokeFamilies(trx, some, { revoked_at, revoked_for: 'restored from a backup' });
      const details = { action: 'refresh_token.rotated', refresh_families: ended };
      if (ended > 0) await appendEvent(trx, { actor, action: 'restore.reapplied', details, occurred_at: revoked_at });
      return ended;
    });
  }
  return count;
}
