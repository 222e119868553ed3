import { type RawBuilder, sql } from 'kysely';
import type { Digest } from '../../platform/crypto/index.ts';
import type { Db, Trx } from '../../platform/database/index.ts';
import type { TokenHandle } from '../tokens/index.ts';

/** What leaked, as it is stored. */
export type Leaked = TokenHandle | { key: Digest } | { secret_of: string; secret_id: string };

/** A credential as its owner knows it, and the addresses of who should know of it, with the language of those who are users. */
export type Concerned = { name: string; recipients: Recipient[] };

type Recipient = { to: string; language?: string | null };

/**
 * Whom a leak concerns: the person whose credential it is, or the contacts of the client (RFC 7591 §2); where neither has an
 * address, the owners of the installation.
 */
export async function findConcerned(db: Db, leaked: Leaked, now: Date): Promise<Concerned | undefined> {
  const { rows } = await sql<{ name: string; owner: Recipient[]; contacts: string[]; owners: Recipient[] }>`
    with leaked as (${credential(leaked)}),
      reachable as (
        select id, enabled, json_build_object('to', email, 'language', coalesce(language, browser_language)) as recipient
        from users where email is not null)
    select l.name,
      array(select u.recipient from reachable u where u.id = l.owner_id) as owner,
      array(select distinct json_array_elements_text(c.metadata->'contacts') from clients c where c.id = l.owner_id) as contacts,
      array(select u.recipient from reachable u where u.enabled and exists (
        select from role_assignments a join roles r on r.id = a.role_id
          where a.subject_id = u.id and r.name = 'owner' and (a.until is null or a.until > ${now}))) as owners
    from leaked l`.execute(db);
  const [found] = rows;
  if (!found) return undefined;
  const own = [...found.owner, ...found.contacts.map((to) => ({ to }))];
  return { name: found.name, recipients: own.length > 0 ? own : found.owners };
}

/** Reports of one credential are taken one after the other. */
export async function lockReports(trx: Trx, token: Digest): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtext('latchkey leak'), hashtext(${token.toString('hex')}))`.execute(trx);
}

const mostToldADay = 3;

/** Remembers where a credential that still works was found. `known`: it was reported from there; `quiet`: told often enough today. */
export async function takeReport(trx: Trx, leaked: Leaked, place: Digest): Promise<'known' | 'quiet' | 'told'> {
  const credential = nameOf(leaked);
  const { rows } = await sql<{ is_told: boolean }>`
    insert into leak_reports (credential, place, is_told)
      select ${credential}::text, ${place}::bytea, count(*) < ${mostToldADay} from leak_reports
        where credential = ${credential} and is_told and reported_at > (select latchkey_now()) - interval '1 day'
    on conflict do nothing returning is_told`.execute(trx);
  const [row] = rows;
  if (!row) return 'known';
  return row.is_told ? 'told' : 'quiet';
}

/** No digest of a client secret: an operator may have chosen one that can be guessed. */
function nameOf(leaked: Leaked): string {
  if ('secret_id' in leaked) return `client_secret ${leaked.secret_id}`;
  const entries = Object.entries(leaked) as [string, Digest | string][];
  return entries.map(([kind, value]) => `${kind} ${typeof value === 'string' ? value : value.toString('hex')}`).join();
}

/** Of which one, as text of a statement: its name, and whose it is. */
function credential(leaked: Leaked): RawBuilder<unknown> {
  if ('key' in leaked)
    return sql`select 'API key "' || k.name || '", ' || v.start || '…' || v.last_four as name, k.owner_id
      from api_key_versions v join api_keys k on k.id = v.key_id where v.digest = ${leaked.key}`;
  if ('secret_of' in leaked)
    return sql`select 'client secret of "' || c.client_id || '"' as name, c.id as owner_id from clients c
      where c.client_id = ${leaked.secret_of}`;
  if ('family' in leaked)
    return sql`select 'refresh token given to "' || c.client_id || '"' as name, t.user_id as owner_id
      from refresh_families t join clients c on c.id = t.client_id where t.handle_digest = ${leaked.family}`;
  const ofToken = 'jti' in leaked ? sql`jwt_access_tokens t` : sql`access_tokens t`;
  const isIt = 'jti' in leaked ? sql`t.jti = ${leaked.jti}` : sql`t.digest = ${leaked.access_token}`;
  return sql`select 'access token ' || coalesce('got for API key "' || k.name || '"', 'given to "' || c.client_id || '"') as name,
      coalesce(t.user_id, t.client_id) as owner_id
    from ${ofToken} join clients c on c.id = t.client_id left join api_keys k on k.id = t.api_key_id where ${isIt}`;
}
