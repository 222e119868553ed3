import type { Context } from 'koa';
import type { ServerKeys } from '../../../platform/keys/index.ts';
import type { Logger } from '../../../platform/logging/index.ts';
import type { Metrics } from '../../../platform/metrics/index.ts';
import { inSpan } from '../../../platform/tracing/index.ts';
import type { Unit } from '../unit-of-work/index.ts';
import type { Committer } from './committer.ts';
import type { Verdict } from './grants/index.ts';
import { grantTypeOf, unitRow } from './unit-row.ts';

export type IssueDeps = {
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
    else replaceAnswer(ctx, { status: 400, ...(grantTypeOf(unit).refusal ?? invalidGrant) });
  };
}

async function judged(
  { log, committer, keys, metrics, now }: IssueDeps,
  ctx: Context,
  unit: Unit,
): Promise<Verdict | 'unavailable'> {
  const client_id: string = ctx.oidc.client.clientId;
  const record = await unit.remember<{ id: string } | undefined>(`client:${client_id}`, async () => undefined);
  if (!record) throw new Error('a token was issued to an unread client');
  try {
    const row = unitRow(
      unit,
      { id: record.id, client_id },
      { next_key_id: keys.current('successor').id, occurred_at: now() },
    );
    return await inSpan('token transaction', () => committer.commit(row));
  } catch (error) {
    // Lost connection: whether it took effect is unknown. A refresh heals by grace, a code by restarting the flow.
    metrics.tokenTransaction('unavailable');
    log.error({ err: error, request_id: unit.origin.request_id }, 'token commit failed');
    return 'unavailable';
  }
}

const invalidGrant = { error: 'invalid_grant', error_description: 'grant request is invalid' };
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
