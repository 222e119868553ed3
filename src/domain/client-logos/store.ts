import { sql } from 'kysely';
import type { Db } from '../../platform/database/index.ts';

export type Logo = { client_id: string; uri: string };
/** `is_foreign`: no operator registered its client. */
export type DueLogo = Logo & { is_foreign: boolean };
export type LogoImage = { content_type: string; image: Buffer };

// Retried an hour after the first failure, two hours after the second, and so on; not after the last.
const mostFailures = 5;

/** Clients whose logo was not fetched from its present address, and those with a failure that is due for a retry. */
export async function listDueLogos(db: Db, limit: number): Promise<DueLogo[]> {
  const { rows } = await sql<DueLogo>`
    select c.id as client_id, c.metadata ->> 'logo_uri' as uri, c.registered_by <> 'operator' as is_foreign from clients c left join client_logos l on l.client_id = c.id
    where (c.metadata ->> 'logo_uri') is not null
      and (l.client_id is null or l.uri <> c.metadata ->> 'logo_uri' or l.retry_at <= latchkey_now())
    order by c.registered_by <> 'operator', l.retry_at nulls first limit ${limit}`.execute(db);
  return rows;
}

/** Deletes the logos of clients whose metadata no longer names one. */
export async function dropUnnamedLogos(db: Db): Promise<void> {
  await sql`delete from client_logos l using clients c
    where c.id = l.client_id and (c.metadata ->> 'logo_uri') is null`.execute(db);
}

/** Stores a fetched logo, unless the client names another one meanwhile. */
export async function saveLogo(
  db: Db,
  logo: Logo & { content_type: string; image: string; digest: string },
): Promise<void> {
  const { client_id, uri, content_type, image, digest } = logo;
  await sql`
    insert into client_logos (client_id, uri, content_type, image, digest, failures, fetched_at)
    select id, ${uri}, ${content_type}, ${image}, ${digest}, 0, latchkey_now()
    from clients where id = ${client_id} and metadata ->> 'logo_uri' = ${uri}
    on conflict (client_id) do update set uri = excluded.uri, content_type = excluded.content_type, image = excluded.image,
      digest = excluded.digest, failures = 0, retry_at = null, fetched_at = excluded.fetched_at`.execute(db);
}

/** Records a failure; an image from an earlier address is deleted. */
export async function saveFailure(db: Db, { client_id, uri }: Logo): Promise<void> {
  await sql`
    insert into client_logos as l (client_id, uri, failures, retry_at, fetched_at)
    select id, ${uri}, 1, latchkey_now() + interval '1 hour', latchkey_now()
    from clients where id = ${client_id} and metadata ->> 'logo_uri' = ${uri}
    on conflict (client_id) do update set uri = excluded.uri, content_type = null, image = null, digest = null,
      failures = case when l.uri = excluded.uri then l.failures + 1 else 1 end,
      retry_at = case when l.uri <> excluded.uri then excluded.retry_at
        when l.failures + 1 < ${mostFailures} then latchkey_now() + (l.failures + 1) * interval '1 hour' end,
      fetched_at = excluded.fetched_at`.execute(db);
}

/** The digest under which a client's logo is served; undefined: there is none, or it is not fetched yet. */
export async function findLogoDigest(db: Db, client_id: string): Promise<string | undefined> {
  const { rows } = await sql<{ digest: string }>`
    select l.digest from client_logos l join clients c on c.id = l.client_id
    where l.client_id = ${client_id} and l.digest is not null and l.uri = c.metadata ->> 'logo_uri'`.execute(db);
  return rows[0]?.digest;
}

/** The same for several clients, by `client_id`; clients without a logo are left out. */
export async function findLogoDigests(db: Db, client_ids: readonly string[]): Promise<Map<string, string>> {
  const { rows } = await sql<{ client_id: string; digest: string }>`
    select c.client_id, l.digest from clients c join client_logos l on l.client_id = c.id
    where c.client_id = any(${client_ids}) and l.digest is not null and l.uri = c.metadata ->> 'logo_uri'`.execute(db);
  return new Map(rows.map(({ client_id, digest }) => [client_id, digest]));
}

/** The image of this digest. */
export async function findLogoImage(db: Db, digest: string): Promise<LogoImage | undefined> {
  const query = db.selectFrom('client_logos').select(['content_type', 'image']).where('digest', '=', digest);
  const row = await query.limit(1).executeTakeFirst();
  if (!row?.image || !row.content_type) return undefined;
  return { content_type: row.content_type, image: Buffer.from(row.image, 'base64') };
}
