import { type RawBuilder, sql } from 'kysely';
import { containing, type Db } from '../../platform/database/index.ts';
import type { Page } from '../../platform/http/index.ts';
import { type ListOrders, type ListRequest, pageOfQuery } from '../../platform/lists/index.ts';
import type { Risk } from '../credentials/index.ts';
import { currentStateAt, dueAt, type SecretRecord, secretRecords, type VersionState } from './store.ts';

const orders: ListOrders = {
  key: { by: sql`secrets.path`, type: 'text' },
  orders: { path: 'key', updated_at: { by: sql`secrets.updated_at`, type: 'timestamptz' } },
};

export type SecretsRequest = ListRequest & {
  /** A prefix of the paths. */
  prefix?: string | undefined;
  /** Only secrets with this text in their readable members. */
  q?: string | undefined;
  risk?: Risk | undefined;
  state?: VersionState | 'none' | undefined;
  due?: boolean | undefined;
  /** Regular expressions, of which a path must match one. */
  paths: readonly string[];
  now: Date;
};

/** Secrets by their paths, without values. */
export function listSecrets(
  db: Db,
  { prefix, q, risk, state, due, paths, now, ...request }: SecretsRequest,
): Promise<Page<SecretRecord>> {
  const found = secretRecords(db, now)
    .where(sql<boolean>`secrets.path ~ any(${[...paths]}::text[])`)
    .$if(Boolean(prefix), (query) => query.where(isBehind(prefix ?? '')))
    .$if(Boolean(q), (query) => query.where(mentions(q ?? '')))
    .$if(risk !== undefined, (query) => query.where('secrets.risk', '=', risk ?? null))
    .$if(state !== undefined, (query) => query.where(sql<boolean>`coalesce(${currentStateAt(now)}, 'none') = ${state}`))
    .$if(due !== undefined, (query) => query.where(sql<boolean>`coalesce(${dueAt} <= ${now}, false) = ${due}`));
  return pageOfQuery(db, found, orders, request);
}

// A range of the index on paths, which are ASCII.
const isBehind = (prefix: string) => sql<boolean>`secrets.path >= ${prefix} and secrets.path < ${`${prefix}\u007f`}`;

const mentions = (text: string) =>
  sql<boolean>`concat_ws(' ', secrets.path, secrets.description, secrets.environment, secrets.location, secrets.custom_metadata::text) ilike ${containing(text)}`;

const mostNames = 10_000;

/**
 * The content of a folder: names of secrets, and of folders with a `/` at the end. Each takes one lookup in the index, however many secrets
 * a folder has.
 *
 * @param folder empty, or with a `/` at the end
 */
export async function listNames(db: Db, folder: string): Promise<string[]> {
  const end = `${folder}\u007f`;
  const nameIn = (path: RawBuilder<string>) => {
    const rest = sql<string>`substr(${path}, ${folder.length + 1}::int)`;
    return sql<string>`case when position('/' in ${rest}) > 0 then split_part(${rest}, '/', 1) || '/' else ${rest} end`;
  };
  // "!" sorts before any character that can follow a name, "0" right after "/".
  const next = sql`(case when n.name like '%/' then ${folder} || rtrim(n.name, '/') || '0' else ${folder} || n.name || '!' end) collate "C"`;
  const { rows } = await sql<{ name: string }>`
    with recursive n as (
      (select ${nameIn(sql`path`)} as name from secrets where path >= ${folder} and path < ${end} order by path limit 1)
      union all
      select (select ${nameIn(sql`s.path`)} from secrets s where s.path >= ${next} and s.path < ${end} order by s.path limit 1)
      from n where n.name is not null
    )
    select name from n where name is not null limit ${mostNames}`.execute(db);
  return rows.map(({ name }) => name);
}

/** The names of secrets in a folder whose current version is deleted, destroyed or expired, or that have none. */
export async function listUnreadable(
  db: Db,
  { folder, names, now }: { folder: string; names: readonly string[]; now: Date },
): Promise<Set<string>> {
  const paths = names.filter((name) => !name.endsWith('/')).map((name) => `${folder}${name}`);
  const { rows } = await sql<{ path: string }>`
    select s.path from secrets s
    left join secret_versions v on v.secret_id = s.id and v.number = s.current_version
    where s.path = any(${paths}::text[])
      and (v.number is null or v.deleted_at is not null or v.destroyed_at is not null or v.expires_at <= ${now})`.execute(
    db,
  );
  return new Set(rows.map(({ path }) => path.slice(folder.length)));
}

/** The numbers of the current versions, by path. */
export async function listCurrentVersions(db: Db, paths: readonly string[]): Promise<Map<string, number>> {
  const rows = await db
    .selectFrom('secrets')
    .select(['path', 'current_version'])
    .where('path', '=', sql<string>`any(${[...paths]}::text[])`)
    .execute();
  return new Map(rows.map(({ path, current_version }) => [path, current_version]));
}
