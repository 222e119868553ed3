import { sql } from 'kysely';
import type { Db } from '../../../platform/database/index.ts';
import type { Methods } from '../../assurance/index.ts';

/**
 * The sign-in methods of a user. A provider counts while its trust is enabled, and for users with permissions of Latchkey only if it is
 * for administrators. A mailed code never counts, because the mail server may be unavailable.
 */
export async function methodsOfUser(db: Db, user_id: string): Promise<Methods> {
  const { rows } = await sql<Omit<Methods, 'email_code'>>`
    select exists (select from credentials k where k.user_id = u.id and k.kind = 'password') as password,
      exists (select from factors f where f.user_id = u.id and f.kind = 'passkey') as passkey,
      exists (select from factors f where f.user_id = u.id and f.kind = 'totp') as totp,
      exists (select from factors f where f.user_id = u.id and f.kind = 'recovery_code') as recovery_code,
      exists (select from identities i join trusts t on t.issuer = i.issuer and t.kind = 'login' and t.enabled
        where i.user_id = u.id and ((t.login ->> 'for_administrators')::boolean or not exists (
          select from standing_role_assignments a join role_permissions p on p.role_id = a.role_id
            where a.subject_id = u.id and split_part(p.pattern, ':', 1) in ('latchkey', 'secrets')
              and (a.until is null or a.until > latchkey_now())))) as provider
    from users u where u.id = ${user_id}`.execute(db);
  const none = { password: false, passkey: false, totp: false, recovery_code: false, provider: false };
  return { ...none, ...rows[0], email_code: false };
}

/** The enabled users who are owners without an expiry. */
export async function listOwners(db: Db): Promise<string[]> {
  const rows = await db
    .selectFrom('role_assignments as a')
    .innerJoin('roles as r', 'r.id', 'a.role_id')
    .innerJoin('users as u', 'u.id', 'a.subject_id')
    .select('u.id')
    .where('r.name', '=', 'owner')
    .where('a.until', 'is', null)
    .where('u.enabled', '=', true)
    .execute();
  return rows.map(({ id }) => id);
}
