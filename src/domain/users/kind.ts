import { sql } from 'kysely';
import { type CredentialKind, inventoryOf, uuidKey } from '../credentials/index.ts';

/** Passwords of users. A password is replaced, not revoked. */
export const passwordKind: CredentialKind = {
  kind: 'password',
  label: 'Password',
  permission: 'latchkey:user:read',
  isNumerous: true,
  orders: ['created_at'],
  inventory: inventoryOf(
    'password',
    {
      id: 'p.id',
      name: `'Password'`,
      owner_id: 'p.user_id',
      created_at: 'p.updated_at',
      stands_until: `case when u.enabled then 'infinity'::timestamptz else '-infinity' end`,
    },
    {
      from: 'credentials p join users u on u.id = p.user_id',
      where: `p.kind = 'password'`,
      counted: 'credentials p',
      key: uuidKey('p.id'),
    },
  ),
};

/** Links with which a user chooses a password. */
export const passwordLinkKind: CredentialKind = {
  kind: 'password_link',
  label: 'Password reset link',
  permission: 'latchkey:user:read',
  isNumerous: false,
  inventory: inventoryOf(
    'password_link',
    {
      // Short, but long enough to distinguish links.
      id: `left(encode(l.digest, 'hex'), 16)`,
      name: `'Password reset link'`,
      owner_id: 'l.user_id',
      created_at: 'l.created_at',
      last_used_at: 'l.used_at',
      expires_at: 'l.expires_at',
      location: 'l.mailed_to',
      revoked_at: 'l.used_at',
      stands_until: `case when l.used_at is null and u.enabled then l.expires_at else '-infinity' end`,
    },
    {
      from: 'password_links l join users u on u.id = l.user_id',
      counted: 'password_links l',
      allExpire: true,
      // The id is the start of the digest.
      key: {
        column: 'l.digest',
        range: (id) =>
          /^[0-9a-f]{16}$/.test(id)
            ? [sql`${Buffer.from(id.padEnd(64, '0'), 'hex')}`, sql`${Buffer.from(id.padEnd(64, 'f'), 'hex')}`]
            : undefined,
      },
    },
  ),
};
