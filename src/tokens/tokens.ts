import { decodeJwt } from 'jose';
import { appendEvent } from '../audit/index.ts';
import { digest } from '../platform/crypto/index.ts';
import type { Db, Trx } from '../platform/database/index.ts';
import { type Actor, invalid, notFound } from '../platform/http/index.ts';
import { familyHandle, isAccessToken } from './formats.ts';
import { endAccessToken, endFamily, endJwtAccessToken } from './store.ts';

export type TokenDeps = { db: Db; now: () => Date };
export type RevokedToken = { kind: 'access_token' | 'refresh_token'; client_id: string };

/**
 * Ends a token by its value: an access token, opaque or JWT, alone; a refresh token of any generation with all its family.
 * It is refused from the next request on.
 *
 * @throws Problem `invalid`: it is no token of ours; `not_found`: unknown, or it has ended already
 */
export async function revokeToken({ db, now }: TokenDeps, actor: Actor, value: string): Promise<RevokedToken> {
  const end = ending(value);
  return db.transaction().execute(async (trx) => {
    const revoked_at = now();
    const ended = await end(trx, revoked_at);
    if (!ended) throw notFound('live token', `${value.slice(0, 10)}…`);
    const { kind, id, client_id } = ended;
    const target = { kind, id };
    await appendEvent(trx, {
      actor,
      action: `${kind}.revoked`,
      target,
      details: { client_id },
      occurred_at: revoked_at,
    });
    return { kind, client_id };
  });
}

type Ended = RevokedToken & { id: string };

function ending(value: string): (trx: Trx, revoked_at: Date) => Promise<Ended | undefined> {
  const handle = familyHandle(value);
  if (handle) return (trx, at) => endFamily(trx, handle, at).then(as('refresh_token'));
  if (isAccessToken(value)) return (trx, at) => endAccessToken(trx, digest(value), at).then(as('access_token'));
  const jti = jtiOf(value);
  if (jti) return (trx, at) => endJwtAccessToken(trx, jti, at).then(as('access_token'));
  throw invalid('/token', 'This is not a token of Latchkey: it has the wrong form, or was cut off while copying.');
}

function as(kind: RevokedToken['kind']) {
  return (ended: { id: string; client_id: string } | undefined): Ended | undefined => ended && { kind, ...ended };
}

// The signature is not judged: whoever may revoke any token gains nothing by inventing one.
function jtiOf(value: string): string | undefined {
  try {
    return decodeJwt(value).jti;
  } catch {
    // Not a JWT: the caller says so.
    return undefined;
  }
}
