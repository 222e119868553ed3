import { sql } from 'kysely';
import { type CredentialKind, inventoryOf } from '../credentials/index.ts';
import { revokeAccessTokenById, revokeFamilyById } from './tokens.ts';

/** Families of refresh tokens: all that followed from one sign-in at one client. */
export const refreshTokenKind: CredentialKind = {
  kind: 'refresh_token',
  label: 'Refresh token',
  permission: 'latchkey:grant:read',
  isNumerous: true,
  hasUuids: true,
  inventory: inventoryOf(
    'refresh_token',
    {
      id: 't.id',
      name: 'c.client_id',
      owner_id: 't.user_id',
      version: 't.generation',
      created_at: 't.issued_at',
      last_used_at: 't.rotated_at',
      expires_at: 'least(t.expires_at, t.absolute_expires_at)',
      revoked_at: 't.revoked_at',
      stands_until: `coalesce((select least(s.expires_at, s.absolute_expires_at, s.ends_at) from standing_refresh_families s
        where s.id = t.id), '-infinity')`,
    },
    'refresh_families t join clients c on c.id = t.client_id where t.handle_digest is not null',
  ),
  reach: (id) => ({ family: sql`f.id = ${id}`, token: sql`t.family_id = ${id}` }),
  revoke: { permission: 'latchkey:grant:revoke', one: revokeFamilyById },
};

const accessTokens = (table: 'access_tokens' | 'jwt_access_tokens', { key, id }: { key: string; id: string }) =>
  inventoryOf(
    'access_token',
    {
      id,
      name: 'c.client_id',
      owner_id: 'coalesce(t.user_id, t.client_id)',
      created_at: 't.issued_at',
      expires_at: 't.expires_at',
      location: 't.audience',
      revoked_at: 't.revoked_at',
      stands_until: `coalesce((select least(s.expires_at, s.ends_at) from standing_${table} s where s.${key} = t.${key}), '-infinity')`,
    },
    `${table} t join clients c on c.id = t.client_id`,
  );

/** Access tokens, opaque ones by their SHA-256, JWTs by their `jti`. */
export const accessTokenKind: CredentialKind = {
  kind: 'access_token',
  label: 'Access token',
  permission: 'latchkey:grant:read',
  isNumerous: true,
  hasUuids: false,
  inventory: sql`${accessTokens('access_tokens', { key: 'digest', id: `encode(t.digest, 'hex')` })}
    union all ${accessTokens('jwt_access_tokens', { key: 'jti', id: 't.jti' })}`,
  reach: (id) => ({ token: sql`(encode(t.digest, 'hex') = ${id} or t.jti = ${id})` }),
  revoke: { permission: 'latchkey:grant:revoke', one: revokeAccessTokenById },
};
