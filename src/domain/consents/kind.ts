import { sql } from 'kysely';
import { type CredentialKind, inventoryOf, uuidKey } from '../credentials/index.ts';
import { revokeGrant } from './consents.ts';

/** Grants: what a client holds for a user in one session. Codes and tokens are issued under them. */
export const grantKind = {
  kind: 'grant',
  label: 'Grant',
  permission: 'latchkey:grant:read',
  isNumerous: true,
  orders: ['created_at'],
  inventory: inventoryOf(
    'grant',
    {
      id: 'g.id',
      name: 'c.client_id',
      owner_id: 'g.user_id',
      created_at: 'g.created_at',
      revoked_at: 'g.revoked_at',
      stands_until: `coalesce((select s.ends_at from standing_grants s where s.id = g.id
        and (s.tokens_valid_after is null or g.created_at > s.tokens_valid_after)), '-infinity')`,
    },
    { from: 'grants g join clients c on c.id = g.client_id', counted: 'grants g', key: uuidKey('g.id') },
  ),
  reach: (id: string) => ({ family: sql`f.grant_id = ${id}`, token: sql`t.grant_id = ${id}` }),
  revoke: { permission: 'latchkey:grant:revoke', one: revokeGrant },
} satisfies CredentialKind;
