import { decodeJwt } from 'jose';
import { type Digest, digest } from '../../platform/crypto/index.ts';
import { type Db, inTransaction, type Trx } from '../../platform/database/index.ts';
import { type Actor, invalid, notFound } from '../../platform/http/index.ts';
import { appendEvent } from '../audit/index.ts';
import { familyHandle, isAccessToken } from './formats.ts';
import { findFamilyHandle, findFamilyOf, revokeFamily, revokeJwtAccessToken, revokeOpaqueToken } from './store.ts';

export type TokenDeps = { db: Db; now: () => Date };

/** Identifies a token: an opaque access token's digest, a JWT's `jti`, or the handle that a family's refresh tokens share. */
export type TokenHandle = { access_token: Digest } | { jti: string } | { family: Digest };

export type RevokedToken = { kind: 'access_token' | 'refresh_token'; client_id: string };

/**
 * Revokes a token by its value: an access token, opaque or JWT, alone; a refresh token of any generation with its whole family.
 * It is refused from the next request on.
 *
 * @throws Problem `invalid`: the value is not a token; `not_found`: unknown, or already revoked
 */
export async function revokeToken({ db, now }: TokenDeps, actor: Actor, value: string): Promise<RevokedToken> {
  const handle = tokenHandle(value);
  const ended = await inTransaction(db, (trx) => revokeTokenByHandle(trx, actor, handle, now()));
  if (!ended) throw notFound('live token', `${value.slice(0, 10)}…`);
  return ended;
}

/** The kind and id in the inventory of the token with this value; undefined: the value is not a token, or its family is unknown. */
export async function credentialOf(
  db: Db,
  value: string,
): Promise<{ kind: 'refresh_token' | 'access_token'; id: string; isJwt: boolean } | undefined> {
  const handle = handleIn(value);
  if (!handle) return undefined;
  if ('jti' in handle) return { kind: 'access_token', id: handle.jti, isJwt: true };
  if ('access_token' in handle) return { kind: 'access_token', id: handle.access_token.toString('hex'), isJwt: false };
  const id = await findFamilyOf(db, handle.family);
  return id === undefined ? undefined : { kind: 'refresh_token', id, isJwt: false };
}

const digestShape = /^[0-9a-f]{64}$/;

/** An access token by its id in the inventory: the SHA-256 of an opaque one, in hexadecimal, or the `jti` of a JWT. */
export function accessTokenById(id: string): Extract<TokenHandle, { access_token: Digest } | { jti: string }> {
  return digestShape.test(id) ? { access_token: Buffer.from(id, 'hex') as Digest } : { jti: id };
}

/** Revokes an access token by its id in the inventory. Repeating it, or an unknown id, changes nothing. */
export async function revokeAccessTokenById({ db, now }: TokenDeps, actor: Actor, id: string): Promise<void> {
  await inTransaction(db, (trx) => revokeTokenByHandle(trx, actor, accessTokenById(id), now()));
}

/** Revokes a family of refresh tokens by its id. Repeating it, or an unknown id, changes nothing. */
export async function revokeFamilyById({ db, now }: TokenDeps, actor: Actor, id: string): Promise<void> {
  await inTransaction(db, async (trx) => {
    const family = await findFamilyHandle(trx, id);
    if (family) await revokeTokenByHandle(trx, actor, { family }, now());
  });
}

/** Revokes a token in the transaction of the verb that decides it; undefined: no active one was found. */
export async function revokeTokenByHandle(
  trx: Trx,
  actor: Actor,
  handle: TokenHandle,
  revoked_at: Date,
): Promise<RevokedToken | undefined> {
  const ended = await end(trx, handle, revoked_at);
  if (!ended) return undefined;
  const kind = 'family' in handle ? 'refresh_token' : 'access_token';
  const { id, client_id } = ended;
  const target = { kind, id };
  await appendEvent(trx, { actor, action: `${kind}.revoked`, target, details: { client_id }, occurred_at: revoked_at });
  return { kind, client_id };
}

function end(trx: Trx, handle: TokenHandle, revoked_at: Date): Promise<{ id: string; client_id: string } | undefined> {
  if ('family' in handle) return revokeFamily(trx, handle.family, revoked_at);
  if ('jti' in handle) return revokeJwtAccessToken(trx, handle.jti, revoked_at);
  return revokeOpaqueToken(trx, handle.access_token, revoked_at);
}

/**
 * The handle of the token with this value.
 *
 * @throws Problem `invalid`: the value is not a token
 */
export function tokenHandle(value: string): TokenHandle {
  const handle = handleIn(value);
  if (handle) return handle;
  throw invalid('/token', 'This is not a token issued by Latchkey: it is malformed or truncated.');
}

function handleIn(value: string): TokenHandle | undefined {
  const family = familyHandle(value);
  if (family) return { family };
  if (isAccessToken(value)) return { access_token: digest(value) };
  const jti = jtiOf(value);
  return jti === undefined ? undefined : { jti };
}

const jtiShape = /^[\w-]{1,64}$/;

// The signature is not verified: a caller who may revoke any token gains nothing from a forged one.
function jtiOf(value: string): string | undefined {
  try {
    const { jti } = decodeJwt(value);
    return typeof jti === 'string' && jtiShape.test(jti) ? jti : undefined;
  } catch {
    // Not a JWT: the caller refuses it.
    return undefined;
  }
}
