import Provider, { errors } from 'oidc-provider';
import { isAccessToken } from '../../../domain/tokens/index.ts';
import { digest } from '../../../platform/crypto/index.ts';
import { currentUnit, type NewAccessToken } from '../unit-of-work/index.ts';
import { effectiveScopes } from './effective-scopes.ts';
import { grantSource } from './grant-source.ts';
import type { ModelStore, Payload } from './model-store.ts';
import { rememberJoined, type StoreDeps } from './models.ts';
import { type AccessTokenRecord, readAccessToken, readJwtAccessToken } from './reads.ts';
import { expiryFrom, instant, seconds, withoutId } from './stored-payload.ts';
import { revokePresented } from './token-revocation.ts';

/** Opaque and JWT access tokens of users, and those of clients themselves: one store, distinguished by `kind`. */
export function accessTokenStore(deps: StoreDeps, kind: 'AccessToken' | 'ClientCredentials'): ModelStore {
  return {
    find: async (value) => {
      const record = await findAccessToken(deps, value);
      if (!record || record.payload.kind !== kind) return undefined;
      // A JWT contains its own issue time.
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
      revokePresented(
        deps,
        structured?.reference === value ? { jti: structured.jti } : { access_token: digest(value) },
      );
      return undefined;
    },
  };
}

/** The access token's record, while it is active. Read once per request. */
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

// A token bound to an audience is still accepted at userinfo, if that was granted with it; oidc-provider refuses any `aud`.
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
  // The last of several checks: an API that reads `aud` alone would take it for a permission (RFC 9068 §3).
  if (audience && !payload.scope) throw new errors.InvalidScope(`no scope of ${audience} was granted`, '');
  const issued_at = now();
  const identity_scope = audience ? identityScope() : undefined;
  // The library drops the userinfo scopes from a token with an audience, which is accepted at userinfo here all the same.
  const claims = identity_scope ? presentSource()?.claims : undefined;
  return {
    key,
    scope: payload.scope,
    audience,
    identity_scope,
    payload: { ...withoutId(payload), ...(claims && { claims }), ...('jti' in key && { iat: payload.iat }) },
    issued_at,
    // A JWT contains its own expiry.
    expires_at: 'jti' in key ? instant(payload.exp) : expiryFrom(issued_at, payload),
  };
}

/** The subject and client of this request's tokens. */
const presentSource = () => Provider.ctx && grantSource(Provider.ctx.oidc);

function identityScope(): string | undefined {
  const { entities, params, requestParamScopes } = Provider.ctx?.oidc ?? {};
  const source = presentSource();
  if (!source || !entities?.Grant) return undefined;
  // A refresh may request less than was granted (RFC 6749 §6).
  const scopes = params?.scope && requestParamScopes ? requestParamScopes : source.scopes;
  return entities.Grant.getOIDCScopeFiltered(scopes) || undefined;
}
