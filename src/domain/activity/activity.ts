import { type Db, inTransaction } from '../../platform/database/index.ts';
import { invalid, notFound } from '../../platform/http/index.ts';
import { findKey, type KeyRef } from '../api-keys/index.ts';
import { findClient } from '../clients/index.ts';
import { dayMs } from '../credentials/index.ts';
import { keptSteps } from './kinds.ts';
import {
  type Counted,
  countActiveSessions,
  countedUntil,
  countNext,
  findLastSample,
  findLastUse,
  listCounts,
  listDaysOfClient,
  listPermissionUses,
  listVersionUses,
  lockPosition,
  type Source,
  sample,
} from './store.ts';

export type ActivityDeps = { db: Db; now: () => Date };

/** The period lengths that a request can name, in seconds. */
export const stepSeconds = { '5m': 300, '1h': 3600, '6h': 21_600, '1d': 86_400 } as const;
export type Step = keyof typeof stepSeconds;

/** Active sessions are counted up to this number. */
const mostSessions = 100_000;
// The number that is counted while a reader waits.
const mostForReader = 1000;

const atOnce = 2000;
const mostPeriods = 1000;
// A reader waits at most this long for new counts; the job counts the rest.
const readerWaitsMs = 200;
const freshMs = 1000;

/**
 * Counts the access records and audit events that were written since the last run, a few thousand in each transaction; the
 * counts and the position commit together. Nodes that count at the same time take turns.
 *
 * @param budgetMs when to stop; the next run continues
 */
export async function countActivity({ db }: Pick<ActivityDeps, 'db'>, budgetMs: number): Promise<void> {
  const until = performance.now() + budgetMs;
  let left: readonly Source[] = ['access_records', 'audit_events'];
  while (left.length > 0 && performance.now() < until) {
    const unfinished: Source[] = [];
    for (const source of left) if (await countBatch(db, source)) unfinished.push(source);
    left = unfinished;
  }
}

/** Counts events up to a second ago for a reader, unless there are many. */
async function countForReader(deps: ActivityDeps): Promise<void> {
  const until = await countedUntil(deps.db);
  if (deps.now().getTime() - until.getTime() > freshMs) await countActivity(deps, readerWaitsMs);
}

/** Stores the number of active sessions, once in the shortest period. */
export async function sampleSessions({ db }: Pick<ActivityDeps, 'db'>): Promise<void> {
  await sample(db, 'session', () => countActiveSessions(db, mostSessions));
}

export type ActiveSessions = { active: number; is_capped: boolean };

/** The number of active sessions now; above a thousand, the number that the job last counted, a hundred thousand at most. */
export async function readActiveSessions({ db }: Pick<ActivityDeps, 'db'>): Promise<ActiveSessions> {
  const counted = await countActiveSessions(db, mostForReader);
  if (counted < mostForReader) return { active: counted, is_capped: false };
  const active = Math.max(counted, await findLastSample(db, 'session'));
  return { active, is_capped: active === mostForReader || active === mostSessions };
}

/** @returns whether there may be more */
async function countBatch(db: Db, source: Source): Promise<boolean> {
  return inTransaction(db, async (trx) => {
    const after = await lockPosition(trx, source);
    return after !== undefined && (await countNext(trx, { source, after, limit: atOnce })) === atOnce;
  });
}

export type Activity = { from: Date; to: Date; step_seconds: number; counted_until: Date; items: Counted[] };

/**
 * Counts of requests by kind and outcome, in periods of one length. Empty periods are left out.
 *
 * @param query `from`: rounded down to the start of a period, by default a day ago; `to`: exclusive, by default now
 * @throws Problem `invalid`: more than 1000 periods
 */
export async function readActivity(
  deps: ActivityDeps,
  query: { from?: Date | undefined; to?: Date | undefined; step: Step },
): Promise<Activity> {
  const step_seconds = stepSeconds[query.step];
  const { to = deps.now() } = query;
  const from = startOfPeriod(query.from ?? new Date(to.getTime() - dayMs), step_seconds);
  if (to.getTime() - from.getTime() > mostPeriods * step_seconds * 1000)
    throw invalid('/from', `This range has more than ${mostPeriods} periods: choose a later start, or a longer step.`);
  await countForReader(deps);
  const [shortest, hour] = keptSteps;
  const { step_seconds: kept_seconds } = step_seconds < hour.step_seconds ? shortest : hour;
  const items = await listCounts(deps.db, { from, to, kept_seconds, step_seconds });
  return { from, to, step_seconds, counted_until: await countedUntil(deps.db), items };
}

/** The start of the period that contains an instant. */
function startOfPeriod(at: Date, step_seconds: number): Date {
  const stepMs = step_seconds * 1000;
  return new Date(Math.floor(at.getTime() / stepMs) * stepMs);
}

/** The most uses in one response; the latest come first. */
const mostUses = 2000;

/**
 * The uses of an API key in the last days, including today: by version, granted permission and day.
 *
 * @throws Problem `not_found`
 */
export async function usesOfKey(deps: ActivityDeps, { days, ...ref }: KeyRef & { days: number }) {
  const key = await findKey(deps.db, ref);
  if (!key) throw notFound('API key', ref.id);
  await countForReader(deps);
  const today = startOfPeriod(deps.now(), stepSeconds['1d']).getTime();
  const uses = await listPermissionUses(deps.db, key.id, new Date(today - (days - 1) * dayMs), mostUses);
  return {
    counted_until: await countedUntil(deps.db),
    versions: await listVersionUses(deps.db, key.id),
    items: uses.map(({ day, uses: count, permission, ...rest }) => ({
      ...rest,
      day: day.toISOString().slice(0, 10),
      permission: permission === '' ? null : permission,
      uses: Number(count),
    })),
  };
}

export type Usage = {
  last_used_at: Date | null;
  allowed: number;
  refused: number;
  days: { day: string; allowed: number; refused: number }[];
};

/**
 * The number of tokens that a client got in the last days, including today, and of its refused token requests.
 *
 * @throws Problem `not_found`
 */
export async function usageOfClient(
  deps: ActivityDeps,
  { client_id, days }: { client_id: string; days: number },
): Promise<Usage> {
  const client = await findClient(deps.db, client_id);
  if (!client) throw notFound('client', client_id);
  await countForReader(deps);
  const today = startOfPeriod(deps.now(), stepSeconds['1d']).getTime();
  const rows = await listDaysOfClient(deps.db, client, new Date(today - (days - 1) * dayMs));
  const counted = rows.map(({ day, allowed, refused }) => ({
    day: day.toISOString().slice(0, 10),
    allowed: Number(allowed),
    refused: Number(refused),
  }));
  return {
    last_used_at: await findLastUse(deps.db, client),
    allowed: counted.reduce((sum, { allowed }) => sum + allowed, 0),
    refused: counted.reduce((sum, { refused }) => sum + refused, 0),
    days: counted,
  };
}
