import { type Insertable, sql } from 'kysely';
import Provider, { errors } from 'oidc-provider';

import { v7 as uuidv7 } from 'uuid';
import type { Database } from '../../../../db/schema.ts';
import {
  deriveSuccessor,
  familyHandle,
  isAccessToken,
  isCode,
  revokeTokenByHandle,
  type TokenHandle,
} from '../../../domain/tokens/index.ts';
import { digest, sameDigest } from '../../../platform/crypto/index.ts';
import type { Trx } from '../../../platform/database/index.ts';
import type { Actor } from '../../../platform/http/index.ts';
import { absoluteRefreshSeconds, type DefaultLifetimes } from '../provider/lifetimes.ts';
import { authorizationCode } from '../token-endpoint/grants/authorization-code.ts';
import { refreshToken } from '../token-endpoint/grants/refresh-token.ts';
import { currentUnit, LostRaceError, type NewAccessToken } from '../unit-of-work/index.ts';
import { effectiveScopes } from './effective-scopes.ts';
import {
  findClientRecord,
  idOfClient,
  type ModelStore,
  type Payload,
  rememberJoined,
  type StoreDeps,
} from './models.ts';
import {
  type AccessTokenRecord,
  type CodeRecord,
  type FamilyRecord,
  readAccessToken,
  readCode,
  readFamily,
  readJwtAccessToken,
} from './reads.ts';

const seconds = (at: Date) => Math.floor(at.getTime() / 1000);
const instant = (epochSeconds: unknown) => new Date(Number(epochSeconds) * 1000);
/** oidc-provider reckons with this node's own clock: what it means is a lifetime from now, by the clock that nodes share. */
const expiryFrom = (issued_at: Date, { iat, exp }: Payload) =>
  new Date(issued_at.getTime() + (Number(exp) - Number(iat)) * 1000);

/** What is stored of a payload: never its id (the credential itself), nor what the columns and the grant decide. */
function withoutId({
  jti: _,
  exp: __,
  iat: ___,
  expiresWithSession: ____,
  consumed: _____,
  ...rest
}: Payload): Record<string, unknown> {
  return rest;
}

/** Opaque and JWT access tokens of people, and those of clients themselves: one store, told apart by `kind`. */
export function accessTokenStore(deps: StoreDeps, kind: 'AccessToken' | 'ClientCredentials'): ModelStore {
  return {
    find: async (value) => {
      const record = await findAccessToken(deps, value);
      if (!record || record.payload.kind !== kind) return undefined;
      // A JWT says itself when it was made.
      const times = { iat: Number(record.payload.iat ?? seconds(record.issued_at)), exp: seconds(record.expires_at) };
      const scope = record.audience ? { scope: effectiveScopes(record).join(' ') || undefined } : {};
      return { ...record.payload, ...scope, ...asUserinfoSees(record), ...times, jti: value } as Payload;
    },
    upsert: async (value, payload) => {
      currentUnit().writes.access_token = newAccessToken(deps, { digest: digest(value) }, payload as Payload);
      return undefined;
    },
    destroy: async (value) => {
      if (!(await findAccessToken(deps, value))) return undefined;
      const { structured } = currentUnit();
      end(deps, structured?.reference === value ? { jti: structured.jti } : { access_token: digest(value) });
      return undefined;
    },
  };
}

/** The access token's record, while it lives. Read once per request. */
async function findAccessToken({ reader }: StoreDeps, value: string): Promise<AccessTokenRecord | undefined> {
  const unit = currentUnit();
  const isStructured = unit.structured?.reference === value;
  if (!isStructured && !isAccessToken(value)) return undefined;
  return unit.remember(`access:${value}`, async () => {
    const record = isStructured
      ? await reader.find<AccessTokenRecord & Record<string, unknown>>(readJwtAccessToken, unit.structured?.jti)
      : await reader.find<AccessTokenRecord & Record<string, unknown>>(readAccessToken, digest(value));
    if (record) rememberJoined(record);
    return record;
  });
}

// A token bound to an audience still tells who its owner is, when that was allowed with it; oidc-provider refuses any `aud`.
function asUserinfoSees(record: AccessTokenRecord): { aud?: undefined; scope?: string } {
  if (Provider.ctx?.oidc.route !== 'userinfo' || !record.audience || !record.identity_scope) return {};
  return { aud: undefined, scope: record.identity_scope };
}

/** The row of an access token about to be issued. */
export function newAccessToken(
  { now }: Pick<StoreDeps, 'now'>,
  key: NewAccessToken['key'],
  payload: Payload,
): NewAccessToken {
  const audience = typeof payload.aud === 'string' ? payload.aud : undefined;
  // The last of several lines: whoever reads `aud` alone would take it for a right (RFC 9068 §3).
  if (audience && !payload.scope) throw new errors.InvalidScope(`no scope of ${audience} was granted`, '');
  const issued_at = now();
  const identity_scope = audience ? identityScope() : undefined;
  // The library drops what was asked of userinfo from a token with an audience, which opens userinfo here all the same.
  const claims = identity_scope ? grantSource()?.claims : undefined;
  return {
    key,
    scope: payload.scope,
    audience,
    identity_scope,
    payload: { ...withoutId(payload), ...(claims && { claims }), ...('jti' in key && { iat: payload.iat }) },
    issued_at,
    // A JWT says itself until when it is valid.
    expires_at: 'jti' in key ? instant(payload.exp) : expiryFrom(issued_at, payload),
  };
}

/** What the tokens of this request are issued for. */
function grantSource() {
  const { entities } = Provider.ctx?.oidc ?? {};
  return entities?.AuthorizationCode ?? entities?.RefreshToken ?? entities?.DeviceCode;
}

function identityScope(): string | undefined {
  const { entities, params, requestParamScopes } = Provider.ctx?.oidc ?? {};
  const source = grantSource();
  if (!source || !entities?.Grant) return undefined;
  // A refresh may ask for less than it has (RFC 6749 §6).
  const scopes = params?.scope && requestParamScopes ? requestParamScopes : source.scopes;
  return entities.Grant.getOIDCScopeFiltered(scopes) || undefined;
}

export function codeStore(deps: StoreDeps): ModelStore {
  return {
    find: async (value) => {
      const record = await findCode(deps, value);
      if (!record?.grant) return undefined;
      const unit = currentUnit();
      const { family_id, grant_id, user_id } = record;
      unit.source = { kind: authorizationCode.source, digest: digest(value), family_id, grant_id, user_id };
      return {
        ...record.payload,
        jti: value,
        iat: seconds(record.issued_at),
        exp: seconds(record.expires_at),
      } as Payload;
    },
    // The commit decides which of several redemptions wins; here it is only known that this request wants to.
    consume: async () => undefined,
    upsert: async (value, payload) => insertCode(deps, value, payload as Payload),
  };
}

/** The code's record, consumed or not. Read once per request. */
async function findCode({ reader }: StoreDeps, value: string): Promise<CodeRecord | undefined> {
  if (!isCode(value)) return undefined;
  return currentUnit().remember(`code:${value}`, async () => {
    const record = await reader.find<CodeRecord>(readCode, digest(value));
    if (record) rememberJoined(record);
    return record;
  });
}

async function insertCode(deps: StoreDeps, value: string, payload: Payload): Promise<undefined> {
  const unit = currentUnit();
  const client_id = await idOfClient(deps, String(payload.clientId));
  const grant_id = String(payload.grantId);
  const isOffline = payload.expiresWithSession !== true;
  const issued_at = deps.now();
  const row = {
    digest: digest(value),
    family_id: uuidv7(),
    grant_id,
    client_id,
    user_id: String(payload.accountId),
    payload: JSON.stringify(withoutId(payload)),
    issued_at,
    expires_at: expiryFrom(issued_at, payload),
  };
  unit.operations.push(async (trx) => {
    if (isOffline) await markOffline(trx, grant_id);
    await insertCodeUnderGrant(trx, row);
  });
  unit.events.push({
    actor: { kind: 'user', id: row.user_id, permissions: [], origin: unit.origin },
    action: 'authorization_code.issued',
    target: { kind: 'client', id: String(payload.clientId) },
    details: { grant_id, scope: payload.scope, resource: payload.resource },
    occurred_at: row.issued_at,
  });
  return undefined;
}

/**
 * Inserts a code under its grant, which is locked: of a revocation and an authorization the first to lock wins.
 *
 * @throws LostRaceError: it was revoked
 */
async function insertCodeUnderGrant(trx: Trx, row: Insertable<Database['authorization_codes']>): Promise<void> {
  const { digest, family_id, grant_id, client_id, user_id, payload, expires_at } = row;
  const { rows } = await sql`
    with g as materialized (select id from grants where id = ${grant_id} and revoked_at is null for no key update)
    insert into authorization_codes (digest, family_id, grant_id, client_id, user_id, payload, issued_at, expires_at)
    select ${digest}::bytea, ${family_id}::uuid, id, ${client_id}::uuid, ${user_id}::uuid, ${payload}::json,
      latchkey_now(), ${expires_at}::timestamptz from g returning 1`.execute(trx);
  if (rows.length === 0) throw grantWasRevoked();
}

/**
 * Locks the grant that a device code is about to be given under.
 *
 * @throws LostRaceError: it was revoked
 */
export async function holdGrant(trx: Trx, id: string, { offline }: { offline: boolean }): Promise<void> {
  const query = trx.selectFrom('grants').select('id').where('id', '=', id).where('revoked_at', 'is', null);
  if (!(await query.forNoKeyUpdate().executeTakeFirst())) throw grantWasRevoked();
  if (offline) await markOffline(trx, id);
}

async function markOffline(trx: Trx, id: string): Promise<void> {
  await trx.updateTable('grants').set({ offline: true }).where('id', '=', id).where('offline', '=', false).execute();
}

function grantWasRevoked(): LostRaceError {
  return new LostRaceError('the grant was revoked');
}

export type RefreshTokenDeps = StoreDeps & { lifetimes: DefaultLifetimes };

export function refreshTokenStore(deps: RefreshTokenDeps): ModelStore {
  return {
    find: async (value) => {
      const record = await findFamily(deps, value);
      if (!record?.grant) return undefined;
      await noteSource(deps, value, record);
      if (Provider.ctx?.oidc.route === 'introspection' && !sameDigest(record.digest, digest(value))) return undefined;
      const exp = Math.min(seconds(record.expires_at), seconds(record.absolute_expires_at));
      return { ...record.payload, jti: value, iat: seconds(record.issued_at), exp } as Payload;
    },
    consume: async () => undefined,
    upsert: async (value, payload) => {
      const { source, writes } = currentUnit();
      const expires_at = expiryFrom(deps.now(), payload as Payload);
      if (source?.kind === refreshToken.source) {
        writes.successor = { digest: digest(value), expires_at };
        return undefined;
      }
      const handle_digest = familyHandle(value);
      if (!handle_digest) throw new Error('malformed refresh token');
      const client = await findClientRecord(deps, String(payload.clientId));
      const absoluteSeconds = absoluteRefreshSeconds(deps.lifetimes, client?.lifetimes ?? {});
      const absolute_expires_at = new Date(deps.now().getTime() + absoluteSeconds * 1000);
      writes.refresh_token = {
        handle_digest,
        digest: digest(value),
        payload: withoutId(payload as Payload),
        expires_at,
        absolute_expires_at,
      };
      return undefined;
    },
    destroy: async (value) => {
      const family = familyHandle(value);
      if (family) end(deps, { family });
      return undefined;
    },
  };
}

/** A client gave a token back (RFC 7009). */
function end({ now }: StoreDeps, handle: TokenHandle): void {
  const { operations, origin } = currentUnit();
  const actor: Actor = { kind: 'client', id: Provider.ctx?.oidc.client?.clientId, permissions: [], origin };
  const revoked_at = now();
  operations.push(async (trx) => {
    await revokeTokenByHandle(trx, actor, handle, revoked_at);
  });
}

/** The family of a refresh token of any generation. Read once per request. */
async function findFamily({ reader }: StoreDeps, value: string): Promise<FamilyRecord | undefined> {
  const handle = familyHandle(value);
  if (!handle) return undefined;
  return currentUnit().remember(`family:${handle.toString('hex')}`, async () => {
    const record = await reader.find<FamilyRecord>(readFamily, handle);
    if (record) rememberJoined(record);
    return record;
  });
}

async function noteSource(deps: StoreDeps, value: string, record: FamilyRecord): Promise<void> {
  const unit = currentUnit();
  const presented = digest(value);
  const isPrevious = record.previous_digest !== null && sameDigest(record.previous_digest, presented);
  // An older one than the previous derives nothing: the commit will call it reuse.
  const keyId = (isPrevious ? record.previous_key_id : record.key_id) ?? record.key_id;
  await deps.keys.ensure([keyId]);
  const key = deps.keys.find(keyId)?.key;
  unit.deriveSuccessor = key && (() => deriveSuccessor(value, key));
  const client = await findClientRecord(deps, record.client.client_id);
  const graceSeconds = client?.lifetimes.refresh_grace ?? unit.defaultGraceSeconds;
  const { id: family_id, grant_id, user_id } = record;
  unit.source = { kind: refreshToken.source, digest: presented, family_id, grant_id, user_id, graceSeconds };
}
