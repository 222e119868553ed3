import { sql } from 'kysely';
import type { Digest } from '../../platform/crypto/index.ts';
import type { Db, Trx } from '../../platform/database/index.ts';
import type { Language } from '../../platform/languages/index.ts';

/** The leaked credential: by its kind, id and version in the inventory, and by the name that its owner knows. */
export type Leaked = {
  kind: string;
  id: string;
  version?: number;
  /** In each language. */
  names: Readonly<Record<Language, string>>;
  owner_id: string | null;
};

/** The recipients of a leak notice, with the languages of those who are users. */
type Recipient = { to: string; language?: string | null; browser_language?: string | null };

/**
 * The recipients of a leak notice: the user who owns the credential, or the contacts of the client (RFC 7591 §2); if neither has an
 * address, the owners of the installation.
 */
export async function findConcerned(db: Db, owner_id: string | null, now: Date): Promise<Recipient[]> {
  const { rows } = await sql<{ owner: Recipient[]; contacts: string[]; owners: Recipient[] }>`
    with reachable as (
      select id, enabled, json_build_object('to', email, 'language', language, 'browser_language', browser_language) as recipient
      from users where email is not null)
    select array(select u.recipient from reachable u where u.id = ${owner_id}) as owner,
      array(select distinct json_array_elements_text(c.metadata->'contacts') from clients c where c.id = ${owner_id}) as contacts,
      array(select u.recipient from reachable u where u.enabled and exists (
        select from standing_role_assignments a join roles r on r.id = a.role_id
          where a.subject_id = u.id and r.name = 'owner' and (a.until is null or a.until > ${now}))) as owners`.execute(
    db,
  );
  const { owner = [], contacts = [], owners = [] } = rows[0] ?? {};
  const own = [...owner, ...contacts.map((to) => ({ to }))];
  return own.length > 0 ? own : owners;
}

/** Reports of one credential are handled one after the other. */
export async function lockReports(trx: Trx, token: Digest): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtext('latchkey leak'), hashtext(${token.toString('hex')}))`.execute(trx);
}

const mostToldADay = 3;

/** Stores where an active credential was found. `known`: it was reported from there; `quiet`: enough notices were sent today. */
export async function takeReport(trx: Trx, leaked: Leaked, place: Digest): Promise<'known' | 'quiet' | 'told'> {
  const credential = [leaked.kind, leaked.id, leaked.version].filter((part) => part !== undefined).join(' ');
  const { rows } = await sql<{ is_told: boolean }>`
    insert into leak_reports (credential, place, is_told)
      select ${credential}::text, ${place}::bytea, count(*) < ${mostToldADay} from leak_reports
        where credential = ${credential} and is_told and reported_at > (select latchkey_now()) - interval '1 day'
    on conflict do nothing returning is_told`.execute(trx);
  const [row] = rows;
  if (!row) return 'known';
  return row.is_told ? 'told' : 'quiet';
}
