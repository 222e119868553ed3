import { sql } from 'kysely';
import type { Db } from '../../platform/database/index.ts';
import {
  type CredentialKind,
  digestKey,
  inventoryOf,
  type Key,
  type Reach,
  textKey,
  uuidKey,
} from '../credentials/index.ts';
import { findKeyOfToken } from './store.ts';
import { accessTokenById, credentialOf, revokeAccessTokenById, revokeFamilyById, tokenHandle } from './tokens.ts';

/** Families of refresh tokens: all tokens that follow from one sign-in at one client. */
export const refreshTokenKind = {
  kind: 'refresh_token',
  label: 'Refresh token',
  permission: 'latchkey:grant:read',
  isNumerous: true,
  orders: ['created_at'],
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
    {
      from: 'refresh_families t join clients c on c.id = t.client_id',
      where: 't.handle_digest is not null',
      counted: 'refresh_families t',
      key: uuidKey('t.id'),
      ownedBy: (owner_id) => sql`t.grant_id in (select g.id from grants g where g.user_id = ${owner_id})`,
    },
  ),
  reach: (id: string) => ({ family: sql`f.id = ${id}`, token: sql`t.family_id = ${id}` }),
  leak: {
    find: async ({ db }, value) => {
      const found = await credentialOf(db, value);
      return found?.kind === 'refresh_token' ? { id: found.id } : undefined;
    },
    nameOf: async (_, { name }) => ({
      en: `refresh token given to "${name}"`,
      de: `Refresh-Token von „${name}“`,
    }),
  },
  revoke: { permission: 'latchkey:grant:revoke', one: revokeFamilyById },
} satisfies CredentialKind;

/**
 * The credentials that revoking the token with this value revokes; none for an unknown family.
 *
 * @throws Problem `invalid`: the value is not a token
 */
export async function reachOfToken(db: Db, value: string): Promise<Reach> {
  tokenHandle(value);
  const found = await credentialOf(db, value);
  const kind = found?.kind === 'refresh_token' ? refreshTokenKind : accessTokenKind;
  return found ? kind.reach(found.id) : {};
}

/** The ids of one of the two formats of access tokens, as SQL. */
type TokenIds = { table: 'access_tokens' | 'jwt_access_tokens'; id: string };

const accessTokens = ({ table, id }: TokenIds, key: Key) =>
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
      stands_until: `coalesce((select least(s.expires_at, s.ends_at) from standing_${table} s
        where ${key.column.replaceAll('t.', 's.')} = ${key.column}), '-infinity')`,
    },
    {
      name: table,
      from: `${table} t join clients c on c.id = t.client_id`,
      counted: `${table} t`,
      key,
      allExpire: true,
    },
  );

const opaque = accessTokens({ table: 'access_tokens', id: `encode(t.digest, 'hex')` }, digestKey('t.digest'));
const jwts = accessTokens({ table: 'jwt_access_tokens', id: 't.jti' }, textKey('t.jti'));

/** Access tokens, opaque ones by their SHA-256, JWTs by their `jti`. */
export const accessTokenKind = {
  kind: 'access_token',
  label: 'Access token',
  permission: 'latchkey:grant:read',
  isNumerous: true,
  // Only the expiry has an index, because each index slows down every token.
  orders: ['expires_at'],
  inventory: [...opaque, ...jwts],
  reach: (id: string) => {
    const handle = accessTokenById(id);
    return { token: 'jti' in handle ? sql`t.jti = ${handle.jti}` : sql`t.digest = ${handle.access_token}` };
  },
  leak: {
    find: async ({ db, isOurs }, value) => {
      const found = await credentialOf(db, value);
      if (found?.kind !== 'access_token') return undefined;
      return found.isJwt && !(await isOurs(value)) ? undefined : { id: found.id };
    },
    nameOf: async (db, { id, name }) => {
      const key = await findKeyOfToken(db, accessTokenById(id));
      if (key === undefined) return { en: `access token given to "${name}"`, de: `Zugriffstoken von „${name}“` };
      return { en: `access token got for API key "${key}"`, de: `Zugriffstoken zum API-Schlüssel „${key}“` };
    },
  },
  revoke: { permission: 'latchkey:grant:revoke', one: revokeAccessTokenById },
} satisfies CredentialKind;
