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

/**
 * Commits the unit of a token request, and replaces the answer where the commit decides otherwise. A refused token request writes
 * nothing.
 */
export function issueTokens(deps: IssueDeps) {
  return async (ctx: Context, unit: Unit): Promise<void> => {
    if (ctx.status >= 400) return;
    if (!deps.hasRightClock()) {
      replaceAnswer(ctx, wrongClockAnswer);
      return;
    }
    const verdict = await judged(deps, ctx, unit);
    if (verdict === 'won' || verdict === 'grace') return;
    if (verdict === 'unavailable') replaceAnswer(ctx, unavailableAnswer);
    else if (verdict === 'stale') replaceAnswer(ctx, changedClientAnswer);
    else replaceAnswer(ctx, { status: 400, ...(grantTypeOf(unit).refusal ?? invalidGrant) });
  };
}

async function judged(deps: IssueDeps, ctx: Context, unit: Unit): Promise<Verdict | 'unavailable'> {
  const { log, metrics } = deps;
  const client_id: string = ctx.oidc.client.clientId;
  const record = await unit.remember<ClientRecord | undefined>(`client:${client_id}`, async () => undefined);
  if (!record) throw new Error('a token was issued to an unread client');
  try {
    const epoch = unit.clientSecret?.epoch ?? record.epoch;
    const verdict = await commit(deps, unit, { ...record, epoch });
    return verdict === 'stale' ? await judgedAnew(deps, unit, record) : verdict;
  } catch (error) {
    // Lost connection: whether it took effect is unknown. A refresh heals by grace, a code by restarting the flow.
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
 * Judges a client again that changed since this node remembered it. Where only its tokens were ended meanwhile, it authenticated by
 * what still holds, and gets a token that stands; where anything else is new, it has to come again.
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

// Its tokens would outlive, or begin before, what other nodes and verifiers take for the time.
const wrongClockAnswer = {
  status: 503,
  error: 'temporarily_unavailable',
  error_description: "this server's clock and the database's differ too much to issue tokens",
};

function replaceAnswer(ctx: Context, { status, ...body }: typeof unavailableAnswer): void {
  ctx.remove('Set-Cookie');
  ctx.status = status;
  ctx.body = body;
  if (status === 503) ctx.set('Retry-After', '2');
}
