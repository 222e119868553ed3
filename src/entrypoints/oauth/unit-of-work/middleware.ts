import type { Context, Middleware, Next } from 'koa';
import { appendEvent, auditRows } from '../../../domain/audit/index.ts';
import type { Digest } from '../../../platform/crypto/index.ts';
import type { Db } from '../../../platform/database/index.ts';
import { Problem, requestOrigin } from '../../../platform/http/index.ts';
import type { ServerKeys } from '../../../platform/keys/index.ts';
import type { Logger } from '../../../platform/logging/index.ts';
import type { Metrics } from '../../../platform/metrics/index.ts';
import { inSpan } from '../../../platform/tracing/index.ts';
import type { UnitRow, Verdict } from '../token-endpoint/commit.ts';
import type { Committer } from '../token-endpoint/committer.ts';
import type { RowBounds } from './row-bounds.ts';
import { commitOperations, LostRaceError, runInUnit, Unit } from './unit.ts';

export type UnitDeps = {
  log: Logger;
  db: Db;
  committer: Committer;
  keys: ServerKeys;
  metrics: Metrics;
  now: () => Date;
  /** Whether this node's clock is right enough to write times into tokens. */
  hasRightClock: () => boolean;
  refreshGraceSeconds: number;
  rowBounds: RowBounds;
};

/**
 * Opens a unit of work around a request and commits it after the answer was produced and before it is sent; when the
 * commit decides otherwise, the answer is replaced.
 */
export function unitOfWork(deps: UnitDeps): Middleware {
  return async (ctx: Context, next: Next) => {
    const unit = new Unit(requestOrigin(ctx), {
      defaultGraceSeconds: deps.refreshGraceSeconds,
      isTokenRequest: ctx.path === '/oauth/token',
    });
    await runInUnit(unit, next);
    if (unit.outage) throw unit.outage;
    if (ctx.status >= 500) {
      ctx.remove('Set-Cookie');
      return;
    }
    if (unit.writes.access_token) await commitTokens(deps, ctx, unit);
    else await commitBrowser(deps, ctx, unit);
  };
}

/** A refused token request writes nothing. */
async function commitTokens(deps: UnitDeps, ctx: Context, unit: Unit): Promise<void> {
  if (ctx.status >= 400) return;
  if (!deps.hasRightClock()) {
    replaceAnswer(ctx, wrongClockAnswer);
    return;
  }
  const verdict = await judged(deps, ctx, unit);
  if (verdict === 'won' || verdict === 'grace') return;
  if (verdict === 'unavailable') replaceAnswer(ctx, unavailableAnswer);
  else replaceAnswer(ctx, unit.exchangedKey ? refusedSubject : refusedAnswer);
}

async function judged(
  { log, committer, keys, metrics, now }: UnitDeps,
  ctx: Context,
  unit: Unit,
): Promise<Verdict | 'unavailable'> {
  const client_id: string = ctx.oidc.client.clientId;
  const record = await unit.remember<{ id: string } | undefined>(`client:${client_id}`, async () => undefined);
  if (!record) throw new Error('a token was issued to an unread client');
  try {
    const row = unitRow(unit, { id: record.id, client_id }, keys.current('successor').id, now());
    return await inSpan('token transaction', () => committer.commit(row));
  } catch (error) {
    // Lost connection: whether it took effect is unknown. A refresh heals by grace, a code by restarting the flow.
    metrics.tokenTransaction('unavailable');
    log.error({ err: error, request_id: unit.origin.request_id }, 'token commit failed');
    return 'unavailable';
  }
}

const hex = (value: Digest | null | undefined) => (value ? `\\x${value.toString('hex')}` : undefined);

function unitRow(
  unit: Unit,
  client: { id: string; client_id: string },
  next_key_id: number,
  occurred_at: Date,
): UnitRow {
  const { source, exchangedKey, writes } = unit;
  const { access_token, refresh_token, successor } = writes;
  const key = access_token?.key;
  return {
    n: 0,
    source: sourceOf(unit),
    client_id: client.id,
    user_id: source?.user_id ?? exchangedKey?.user_id ?? undefined,
    grant_id: source?.grant_id,
    family_id: source?.family_id,
    api_key_id: exchangedKey?.api_key_id,
    api_key_version: exchangedKey?.api_key_version,
    presented: hex(source?.digest),
    successor: hex(successor?.digest),
    next_key_id,
    grace_seconds: source?.kind === 'refresh_token' ? source.graceSeconds : 0,
    refresh_handle: hex(refresh_token?.handle_digest),
    refresh_digest: hex(refresh_token?.digest),
    refresh_payload: refresh_token?.payload,
    refresh_expires_at: successor?.expires_at ?? refresh_token?.expires_at,
    refresh_absolute_expires_at: refresh_token?.absolute_expires_at,
    access_digest: key && 'digest' in key ? hex(key.digest) : undefined,
    access_jti: key && 'jti' in key ? key.jti : undefined,
    status_list_id: key && 'jti' in key ? key.status_list_id : undefined,
    status_index: key && 'jti' in key ? key.status_index : undefined,
    access_scope: access_token?.scope,
    access_audience: access_token?.audience,
    access_identity_scope: access_token?.identity_scope,
    access_payload: access_token?.payload,
    access_issued_at: access_token?.issued_at,
    access_expires_at: access_token?.expires_at,
    event: eventOf(unit, client.client_id, occurred_at),
  };
}

function sourceOf({ source, exchangedKey }: Unit): string {
  return source?.kind ?? (exchangedKey ? 'token_exchange' : 'client_credentials');
}

function eventOf(unit: Unit, client_id: string, occurred_at: Date): unknown {
  const { source, exchangedKey, writes, origin } = unit;
  const { access_token } = writes;
  const user_id = source?.user_id ?? exchangedKey?.user_id;
  const who = exchangedKey
    ? { kind: 'api_key' as const, id: exchangedKey.api_key_id }
    : { kind: 'client' as const, id: client_id };
  const { row, personal_details } = auditRows({
    actor: { ...who, permissions: [], origin },
    action: source?.kind === 'refresh_token' ? 'refresh_token.rotated' : 'access_token.issued',
    target: user_id ? { kind: 'user', id: user_id } : { kind: 'client', id: client_id },
    occurred_at,
  });
  const details = {
    grant_type: sourceOf(unit),
    client_id: exchangedKey ? client_id : undefined,
    grant_id: source?.grant_id,
    family_id: source?.family_id,
    scope: access_token?.scope,
    audience: access_token?.audience,
  };
  return { ...row, ...personal_details, personal_digest: hex(row.personal_digest), details };
}

const refusedAnswer = { status: 400, error: 'invalid_grant', error_description: 'grant request is invalid' };
/** RFC 8693 §2.2.2: whatever is wrong with the subject token. */
const refusedSubject = { status: 400, error: 'invalid_request', error_description: 'subject_token is no longer good' };
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

function replaceAnswer(ctx: Context, { status, ...body }: typeof refusedAnswer): void {
  ctx.remove('Set-Cookie');
  ctx.status = status;
  ctx.body = body;
  if (status === 503) ctx.set('Retry-After', '2');
}

async function commitBrowser({ db, rowBounds }: UnitDeps, ctx: Context, unit: Unit): Promise<void> {
  const { address = '' } = unit.origin;
  try {
    if (unit.openRows.length > 0) rowBounds.take(address, unit.openRows);
    await commitOperations(db, unit, appendEvent);
    for (let n = 0; n < unit.finishedInteractions; n += 1) rowBounds.giveBack(address, 'interaction');
  } catch (error) {
    ctx.remove('Set-Cookie');
    ctx.remove('Location');
    if (error instanceof LostRaceError) throw lostRace();
    throw error;
  }
}

function lostRace(): Problem {
  return new Problem(409, 'changed_elsewhere', {
    title: 'This changed in another window',
    detail: 'You may have signed in or out in another tab. Go back to the app and try again.',
  });
}
