import { sql } from 'kysely';
import { digest } from '../../platform/crypto/index.ts';
import type { Actor } from '../../platform/http/index.ts';
import { type CredentialDeps, type CredentialKind, inventoryOf, uuidKey } from '../credentials/index.ts';
import { revokeApiKey } from './ending.ts';
import { environmentOf, shownOf } from './format.ts';
import { findVersion } from './store.ts';

/** API keys, each with all its versions. */
export const apiKeyKind = {
  kind: 'api_key',
  label: 'API key',
  permission: 'latchkey:api_key:read',
  isNumerous: false,
  inventory: inventoryOf(
    'api_key',
    {
      id: 'k.id',
      name: 'k.name',
      owner_id: 'k.owner_id',
      risk: 'k.risk',
      environment: 'k.environment',
      version: 'v.number',
      created_at: 'k.created_at',
      last_used_at: 'k.last_used_at',
      expires_at: 'k.expires_at',
      due_at: 'k.due_at',
      revoked_at: 'k.revoked_at',
      stands_until: `coalesce((select max(s.ends_at) from standing_api_keys s where s.id = k.id), '-infinity')`,
    },
    {
      from: `api_keys k cross join lateral (
        select v.number from api_key_versions v where v.key_id = k.id order by v.number desc limit 1) v`,
      counted: 'api_keys k',
      key: uuidKey('k.id'),
    },
  ),
  reach: (id: string) => ({ token: sql`t.api_key_id = ${id}`, api_key_id: id }),
  leak: {
    find: async ({ db, now }, value) => {
      if (environmentOf(value) === undefined) return undefined;
      return findVersion(db, digest(value), now());
    },
    nameOf: async (_, { name }, value) => {
      const { start, last_four } = shownOf(value);
      const shown = `${start}…${last_four}`;
      return { en: `API key "${name}", ${shown}`, de: `API-Schlüssel „${name}“, ${shown}` };
    },
  },
  revoke: {
    permission: 'latchkey:api_key:revoke',
    one: async (deps: CredentialDeps, actor: Actor, id: string) => {
      await revokeApiKey(deps, actor, { id });
    },
  },
} satisfies CredentialKind;
