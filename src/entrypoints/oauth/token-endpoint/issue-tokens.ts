import { isDeepStrictEqual } from 'node:util';
import type { Context } from 'koa';
import type { ServerKeys } from '../../../platform/keys/index.ts';
import type { Logger } from '../../../platform/logging/index.ts';
import type { Metrics } from '../../../platform/metrics/index.ts';
import { inSpan } from '../../../platform/tracing/index.ts';
import { type ClientDeps, type ClientRecord, readClientRecord } from '../store/index.ts';
import type { Unit } from '../unit-of-work/index.ts';
import type { Committer } from './committer.ts';
import type { Verdict } from './grants/index.ts';
import { grantTypeOf, unitRow } from './unit-row.ts';

export type IssueDeps = Pick<ClientDeps, 'reader'> & {
  log: Logger;
  committer: Committer;
  keys: ServerKeys;
  metrics: Metrics;
  now: () => Date;
  /** Whether this node's clock is right enough to write times into tokens. */
  hasRightClock: () => boolean;
};

/** The error that replaces the prepared answer (RFC 6749 §5.2). */
export type Refusal = { status: number; error: string; error_description: string };

/**
 * Commits the unit of a token request, and replaces the answer if the commit refuses it. A refused token request writes nothing.
 */
export function issueTokens(deps: IssueDeps) {
  return async (ctx: Context, unit: Unit): Promise<void> => {
    if (ctx.status >= 400) return;
    const refusal = await commitTokens(deps, unit, ctx.oidc.client.clientId);
    if (refusal) replaceAnswer(ctx, refusal);
  };
}

/** Commits the unit of a token request. @returns the refusal of the commit, if any */
export async function commitTokens(deps: IssueDeps, unit: Unit, client_id: string): Promise<Refusal | undefined> {
  if (!deps.hasRightClock()) return wrongClockAnswer;
  const verdict = await judged(deps, unit, client_id);
  if (verdict === 'won' || verdict === 'grace') return undefined;
  if (verdict === 'unavailable') return unavailableAnswer;
  if (verdict === 'stale') return changedClientAnswer;
  return { status: 400, ...(grantTypeOf(unit).refusal ?? invalidGrant) };
}

async function judged(deps: IssueDeps, unit: Unit, client_id: string): Promise<Verdict | 'unavailable'> {
  const { log, metrics } = deps;
  const record = await unit.remember<ClientRecord | undefined>(`client:${client_id}`, async () => undefined);
  if (!record) throw new Error('a token was issued to an unread client');
  try {
    const epoch = unit.clientSecret?.epoch ?? record.epoch;
    const verdict = await commit(deps, unit, { ...record, epoch });
    return verdict === 'stale' ? await judgedAnew(deps, unit, record) : verdict;
  } catch (error) {
    // Lost connection: whether it took effect is unknown. A retry of a refresh succeeds by grace, that of a code by restarting the flow.
    metrics.tokenTransaction('unavailable');
    log.error({ err: error, request_id: unit.origin.request_id }, 'token commit failed');
    return 'unavailable';
  }
}

function commit({ committer, keys, now }: IssueDeps, unit: Unit, client: ClientRecord): Promise<Verdict> {
  const row = unitRow(unit, client, { next_key_id: keys.current('successor').id, occurred_at: now() });
  return inSpan('token transaction', () => committer.commit(row));
}

const mostLooks = 3;

/**
 * Checks a client again that has changed since this node cached it. If only its tokens were revoked meanwhile, its authentication is still
 * valid, and it gets an active token; after any other change it has to retry.
 */
async function judgedAnew(deps: IssueDeps, unit: Unit, known: ClientRecord): Promise<Verdict> {
  for (let look = 0; look < mostLooks; look += 1) {
    const present = await readClientRecord(deps, known.client_id);
    if (!present || !isSameClient(known, present, unit.clientSecret?.id)) return 'stale';
    const verdict = await commit(deps, unit, present);
    if (verdict !== 'stale') return verdict;
  }
  return 'stale';
}

function isSameClient(known: ClientRecord, present: ClientRecord, secret_id: string | undefined): boolean {
  const { epoch: _, secrets, ...rest } = known;
  const { epoch: __, secrets: presentSecrets, ...presentRest } = present;
  if (!isDeepStrictEqual(rest, presentRest)) return false;
  return secret_id ? presentSecrets.some(({ id }) => id === secret_id) : isDeepStrictEqual(secrets, presentSecrets);
}

const invalidGrant = { error: 'invalid_grant', error_description: 'grant request is invalid' };
// RFC 6749 §5.2.
const changedClientAnswer = {
  status: 401,
  error: 'invalid_client',
  error_description: 'the client was changed during the request, try again',
};
const unavailableAnswer = {
  status: 503,
  error: 'temporarily_unavailable',
  error_description: 'the database cannot be reached, try again in a moment',
};

// Its tokens would expire after, or begin before, the time of other nodes and verifiers.
const wrongClockAnswer = {
  status: 503,
  error: 'temporarily_unavailable',
  error_description: "this server's clock and the database's differ too much to issue tokens",
};

function replaceAnswer(ctx: Context, { status, ...body }: Refusal): void {
  ctx.remove('Set-Cookie');
  ctx.status = status;
  ctx.body = body;
  ctx.set(headersOf({ status }));
}

/** Headers of a refusal. */
export const headersOf = ({ status }: Pick<Refusal, 'status'>): Record<string, string> =>
  status === 503 ? { 'Retry-After': '2' } : {};
