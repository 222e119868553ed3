import { type Insertable, type RawBuilder, type Selectable, sql, type Updateable } from 'kysely';
import type { Database } from '../../../db/schema.ts';
import type { Digest } from '../../platform/crypto/index.ts';
import type { Db, Trx } from '../../platform/database/index.ts';
import { type Page, type Place, pageWith } from '../../platform/http/index.ts';
import {
  hasWords,
  type ListOrders,
  type ListRequest,
  readPage,
  rowsWithWords,
  type Searched,
} from '../../platform/lists/index.ts';
import type { Right } from '../access/index.ts';
import type { Restrictions } from '../restrictions/index.ts';
import { keptStart, looksLikeKey } from './format.ts';
import type { keyOrders, keyStates } from './schemas.ts';

export type KeyVersion = { number: number; start: string; last_four: string; issued_at: Date; ends_at: Date | null };

/** A key with all that belongs to it. */
export type ApiKey = Omit<Selectable<Database['api_keys']>, 'restrictions'> & {
  restrictions: Restrictions;
  owner_kind: 'user' | 'client';
  /** Username or `client_id`. */
  owner: string;
  roles: string[];
  tags: string[];
  /** The present one first. */
  versions: KeyVersion[];
};

type Row = Omit<ApiKey, 'versions'> & {
  versions: (Omit<KeyVersion, 'issued_at' | 'ends_at'> & { issued_at: string; ends_at: string | null })[];
};

const keysFrom = (
  from: RawBuilder<unknown>,
) => sql`select k.*, s.kind as owner_kind, coalesce(u.username, c.client_id) as owner,
    coalesce((select json_agg(r.name order by r.name) from api_key_roles x join roles r on r.id = x.role_id where x.key_id = k.id), '[]')
      as roles,
    coalesce((select json_agg(t.tag order by t.tag) from api_key_tags t where t.key_id = k.id), '[]') as tags,
    (select json_agg(json_build_object('number', v.number, 'start', v.start, 'last_four', v.last_four, 'issued_at', v.issued_at,
      'ends_at', v.ends_at) order by v.number desc) from api_key_versions v where v.key_id = k.id) as versions
  from ${from} k join subjects s on s.id = k.owner_id left join users u on u.id = s.id left join clients c on c.id = s.id`;
const keys = keysFrom(sql`api_keys`);

function keyOf({ versions, ...row }: Row): ApiKey {
  const instant = (text: string | null) => (text === null ? null : new Date(text));
  return {
    ...row,
    versions: versions.map((version) => ({
      ...version,
      issued_at: new Date(version.issued_at),
      ends_at: instant(version.ends_at),
    })),
  };
}

/** Which key is meant; with an owner, only if it is theirs. */
export type KeyRef = { id: string; owner_id?: string | undefined };

export async function findKey(db: Db, { id, owner_id }: KeyRef): Promise<ApiKey | undefined> {
  const owned = owner_id === undefined ? sql`true` : sql`k.owner_id = ${owner_id}`;
  const { rows } = await sql<Row>`${keys} where k.id = ${id} and ${owned}`.execute(db);
  return rows[0] && keyOf(rows[0]);
}

// An owner stays: what is judged after the lock, whose key it is included, was so before it.
export async function lockKey(trx: Trx, ref: KeyRef): Promise<ApiKey | undefined> {
  await trx
    .selectFrom('api_keys')
    .select('id')
    .where('id', '=', ref.id)
    .$if(ref.owner_id !== undefined, (query) => query.where('owner_id', '=', ref.owner_id ?? ''))
    .forUpdate()
    .execute();
  return findKey(trx, ref);
}

export type KeysFilter = {
  owner_id?: string | undefined;
  environment?: string | undefined;
  tag?: string | undefined;
  state?: (typeof keyStates)[number] | undefined;
};

const searched: Searched = { table: 'api_keys', text: sql`name || ' ' || coalesce(description, '')` };

const orders: ListOrders = {
  key: { by: sql`k.id`, type: 'uuid' },
  orders: {
    name: { by: sql`lower(k.name) collate "C"`, type: 'text' },
    // UUIDv7 ids grow with time.
    created_at: 'key',
    // A key that does not expire comes after every other, one that was never used before.
    expires_at: { by: sql`coalesce(k.expires_at, 'infinity')`, type: 'timestamptz' },
    last_used_at: { by: sql`coalesce(k.last_used_at, '-infinity')`, type: 'timestamptz' },
  },
};

/** Keys searched by the words of their name and description or by the beginning of the key, filtered and sorted. */
export async function listKeys(
  db: Db,
  { q, sort, limit, cursor, total, ...filter }: KeysFilter & ListRequest & { q?: string | undefined },
  now: Date,
): Promise<Page<ApiKey>> {
  // A text that begins as keys do is the beginning of a key; anything else are words.
  const start = q && looksLikeKey(q) ? keptStart(q) : undefined;
  const from = rowsWithWords(searched, start === undefined ? q : undefined);
  const starting = sql`k.id = any(array(select v.key_id from api_key_versions v where v.start ^@ ${start}))`;
  const where = sql.join([...conditionsOf(filter, now), ...(start === undefined ? [] : [starting])], sql` and `);
  const page = await readPage({ sort, limit, cursor, total }, orders, {
    read: async ({ after, orderBy, place, limit: most }) => {
      // Limited before anything is joined: PostgreSQL would read whole tables for as many rows as it expects of a search.
      const limited = sql`(select k.*, ${place} as place from ${from} k where ${where} and ${after}
        order by ${orderBy} limit ${most})`;
      const { rows } = await sql<Row & { place: Place }>`${keysFrom(limited)} order by ${orderBy}`.execute(db);
      return rows;
    },
    count: async (most) => {
      const { rows } = await sql<{ total: number }>`
        select count(*)::int as total from (select from ${from} k where ${where} limit ${most}) counted`.execute(db);
      return rows[0]?.total ?? 0;
    },
  });
  return pageWith(page, keyOf);
}

const lastFour = /^[0-9A-Za-z]{4}$/;

/** Keys of which a version ends in these four characters, newest first; none for any other text. */
export async function listKeysEndingIn(db: Db, last_four: string, limit: number): Promise<ApiKey[]> {
  if (!lastFour.test(last_four)) return [];
  const ending = sql`select v.key_id from api_key_versions v where v.last_four = ${last_four} limit ${limit}`;
  const { rows } = await sql<Row>`${keys} where k.id = any(array(${ending})) order by k.id desc`.execute(db);
  return rows.map(keyOf);
}

/** Keys that are not revoked, of one owner or of every client, newest first. */
export async function listEveryKey(db: Db, owner_id?: string): Promise<ApiKey[]> {
  const owned = owner_id === undefined ? sql`s.kind = 'client'` : sql`k.owner_id = ${owner_id}`;
  const { rows } = await sql<Row>`${keys} where k.revoked_at is null and ${owned} order by k.id desc`.execute(db);
  return rows.map(keyOf);
}

/** Keys of one owner, searched as all keys are, filtered and sorted, from an offset: an owner has few enough to page through. */
export async function listKeysOf(
  db: Db,
  { sort, offset, limit, ...filter }: KeysOfFilter,
  now: Date,
): Promise<ApiKey[]> {
  const { rows } = await sql<Row>`${keys} where ${sql.join(conditionsOf(filter, now), sql` and `)}
    order by ${orderOf(sort, now)}, k.id desc offset ${offset} limit ${limit}`.execute(db);
  return rows.map(keyOf);
}

export type KeysOfFilter = Pick<KeysFilter, 'environment' | 'state'> & {
  owner_id: string;
  q?: string | undefined;
  limit: number;
  sort: (typeof keyOrders)[number];
  offset: number;
};

function orderOf(sort: KeysOfFilter['sort'], now: Date): RawBuilder<unknown> {
  if (sort === 'name') return sql`lower(k.name)`;
  if (sort === '-last_used_at') return sql`k.last_used_at desc nulls last`;
  // What ends next comes first, what is over last.
  if (sort === 'expires_at')
    return sql`(k.revoked_at is not null or coalesce(k.expires_at <= ${now}, false)), k.expires_at nulls last`;
  return sql`k.created_at desc`;
}

/** The names of keys by id; one that does not exist is missing. */
export async function listKeyNames(db: Db, ids: readonly string[]): Promise<Map<string, string>> {
  if (ids.length === 0) return new Map();
  const rows = await db.selectFrom('api_keys').select(['id', 'name']).where('id', 'in', ids).execute();
  return new Map(rows.map(({ id, name }) => [id, name]));
}

/** The ids and names of all keys of an owner. */
export async function listKeyNamesOf(db: Db, owner_id: string): Promise<ReadonlyMap<string, string>> {
  const rows = await db.selectFrom('api_keys').select(['id', 'name']).where('owner_id', '=', owner_id).execute();
  return new Map(rows.map(({ id, name }) => [id, name]));
}

function conditionsOf(
  { q, owner_id, environment, tag, state }: KeysFilter & { q?: string | undefined },
  now: Date,
): RawBuilder<unknown>[] {
  const conditions: RawBuilder<unknown>[] = [sql`true`];
  if (q)
    conditions.push(sql`(${hasWords(sql`k.name || ' ' || coalesce(k.description, '')`, q)}
      or exists (select from api_key_versions v where v.key_id = k.id and starts_with(v.start, ${q})))`);
  if (owner_id) conditions.push(sql`k.owner_id = ${owner_id}`);
  if (environment) conditions.push(sql`k.environment = ${environment}`);
  if (tag) conditions.push(sql`exists (select from api_key_tags t where t.key_id = k.id and t.tag = ${tag})`);
  if (state) conditions.push(inState(state, now));
  return conditions;
}

function inState(state: (typeof keyStates)[number], now: Date): RawBuilder<unknown> {
  if (state === 'revoked') return sql`k.revoked_at is not null`;
  if (state === 'expired') return sql`k.revoked_at is null and k.expires_at <= ${now}`;
  const lives = sql`k.revoked_at is null and (k.expires_at is null or k.expires_at > ${now})`;
  return state === 'disabled' ? sql`${lives} and not k.enabled` : sql`${lives} and k.enabled`;
}

export async function insertKey(
  trx: Trx,
  key: Insertable<Database['api_keys']>,
  { roleIds, tags }: { roleIds: readonly string[]; tags: readonly string[] },
): Promise<void> {
  await trx.insertInto('api_keys').values(key).execute();
  await insertRolesAndTags(trx, key.id, { roleIds, tags });
}

export async function insertVersion(trx: Trx, version: Insertable<Database['api_key_versions']>): Promise<void> {
  await trx.insertInto('api_key_versions').values(version).execute();
}

/** Sets the end of versions with a lower number, unless they end earlier. @returns how many */
export async function expireVersionsBefore(
  trx: Trx,
  { key_id, number, ends_at }: { key_id: string; number: number; ends_at: Date },
): Promise<number> {
  const { numUpdatedRows } = await trx
    .updateTable('api_key_versions')
    .set({ ends_at })
    .where('key_id', '=', key_id)
    .where('number', '<', number)
    .where((eb) => eb.or([eb('ends_at', 'is', null), eb('ends_at', '>', ends_at)]))
    .executeTakeFirst();
  return Number(numUpdatedRows);
}

export async function updateKey(trx: Trx, id: string, changes: Updateable<Database['api_keys']>): Promise<void> {
  await trx
    .updateTable('api_keys')
    .set((eb) => ({ ...changes, version: eb('version', '+', 1) }))
    .where('id', '=', id)
    .execute();
}

export async function replaceRolesAndTags(
  trx: Trx,
  key_id: string,
  given: { roleIds: readonly string[]; tags: readonly string[] },
): Promise<void> {
  await trx.deleteFrom('api_key_roles').where('key_id', '=', key_id).execute();
  await trx.deleteFrom('api_key_tags').where('key_id', '=', key_id).execute();
  await insertRolesAndTags(trx, key_id, given);
}

async function insertRolesAndTags(
  trx: Trx,
  key_id: string,
  { roleIds, tags }: { roleIds: readonly string[]; tags: readonly string[] },
): Promise<void> {
  const roles = [...new Set(roleIds)].map((role_id) => ({ key_id, role_id }));
  if (roles.length > 0) await trx.insertInto('api_key_roles').values(roles).execute();
  const tagged = [...new Set(tags)].map((tag) => ({ key_id, tag }));
  if (tagged.length > 0) await trx.insertInto('api_key_tags').values(tagged).execute();
}

/** What a handle was found to mean. */
export type KeyScope =
  | { id: string }
  | { digest: Digest }
  | { owner_id: string }
  | { tag: string }
  | { environment: string }
  | { start: string }
  | { all: true }
  /** With a text that still works and was issued up to then. */
  | { issued_before: Date };

/** Which keys `k` are meant, as a condition. A text that was rotated away names its key no longer. */
function within(scope: KeyScope, now: Date): RawBuilder<unknown> {
  if ('all' in scope) return sql`true`;
  if ('id' in scope) return sql`k.id = ${scope.id}`;
  if ('owner_id' in scope) return sql`k.owner_id = ${scope.owner_id}`;
  if ('environment' in scope) return sql`k.environment = ${scope.environment}`;
  if ('tag' in scope) return sql`k.id in (select t.key_id from api_key_tags t where t.tag = ${scope.tag})`;
  if ('issued_before' in scope)
    return sql`k.id in (select v.key_id from api_key_versions v where v.issued_at <= ${scope.issued_before}
      and (v.ends_at is null or v.ends_at > ${now}))`;
  if ('digest' in scope)
    return sql`k.id in (select v.key_id from api_key_versions v where v.digest = ${scope.digest}
      and (v.ends_at is null or v.ends_at > ${now}))`;
  return sql`k.id in (select v.key_id from api_key_versions v where v.start ^@ ${scope.start})`;
}

/** The keys in a scope that are neither revoked nor expired. */
const isLiveIn = (scope: KeyScope, now: Date) =>
  sql`${within(scope, now)} and k.revoked_at is null and (k.expires_at is null or k.expires_at > ${now})`;

/** A subquery for the ids of the active keys in a scope. */
export function liveKeysIn(scope: KeyScope, now: Date): RawBuilder<unknown> {
  return sql`(select k.id from api_keys k where ${isLiveIn(scope, now)})`;
}

/** Counts the active keys in a scope. */
export async function countLiveKeys(db: Db, scope: KeyScope, now: Date): Promise<number> {
  const live = liveKeysIn(scope, now);
  const { rows } = await sql<{ count: number }>`select count(*)::int as count from ${live} live`.execute(db);
  return rows[0]?.count ?? 0;
}

/** Marks keys as revoked. @returns their ids */
export async function markKeysRevoked(trx: Trx, scope: KeyScope, revoked_at: Date): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    update api_keys k set revoked_at = ${revoked_at}, updated_at = ${revoked_at}, version = version + 1
      where ${isLiveIn(scope, revoked_at)}
      returning k.id`.execute(trx);
  return rows.map(({ id }) => id);
}

/** The version of this digest and its key, unless the version was rotated away from and its overlap is over. */
export async function findVersion(
  db: Db,
  digest: Digest,
  now: Date,
): Promise<{ id: string; version: number } | undefined> {
  return db
    .selectFrom('api_key_versions')
    .select(['key_id as id', 'number as version'])
    .where('digest', '=', digest)
    .where((eb) => eb.or([eb('ends_at', 'is', null), eb('ends_at', '>', now)]))
    .executeTakeFirst();
}

export type DayOfUse = { day: Date; allowed: string; refused: string };

export async function listUsage(db: Db, key_id: string, since: Date): Promise<DayOfUse[]> {
  return db
    .selectFrom('api_key_usage')
    .select(['day', 'allowed', 'refused'])
    .where('key_id', '=', key_id)
    .where('day', '>=', since)
    .orderBy('day')
    .execute();
}

export type Used = { key_id: string; day: Date; allowed: number; refused: number; last_used_at: Date | null };

/** Adds what a node counted, all keys in one statement, whichever come twice; keys that are gone are left out. */
export async function addUsage(db: Db, used: readonly Used[]): Promise<void> {
  const column = <Value>(of: (one: Used) => Value) => used.map(of);
  await sql`
    with used as (
      select u.key_id, u.day, sum(u.allowed)::bigint as allowed, sum(u.refused)::bigint as refused, max(u.last_used_at) as last_used_at
        from unnest(${column(({ key_id }) => key_id)}::uuid[], ${column(({ day }) => day)}::timestamptz[],
          ${column(({ allowed }) => allowed)}::bigint[], ${column(({ refused }) => refused)}::bigint[],
          ${column(({ last_used_at }) => last_used_at)}::timestamptz[]) as u(key_id, day, allowed, refused, last_used_at)
        join api_keys k on k.id = u.key_id
        group by u.key_id, u.day),
    touched as (
      update api_keys k set last_used_at = greatest(k.last_used_at, latest.at)
        from (select key_id, max(last_used_at) as at from used group by key_id) latest
        where k.id = latest.key_id and latest.at is not null)
    insert into api_key_usage as present (key_id, day, allowed, refused) select key_id, day, allowed, refused from used
      on conflict (key_id, day) do update set allowed = present.allowed + excluded.allowed,
        refused = present.refused + excluded.refused`.execute(db);
}

/** A key as the gateway needs it, found by its digest. */
export type KeyRecord = {
  id: string;
  name: string;
  environment: string;
  owner_id: string;
  owner_kind: 'user' | 'client';
  owner: string;
  owner_enabled: boolean;
  enabled: boolean;
  expires_at: Date | null;
  revoked_at: Date | null;
  ends_at: Date | null;
  /** Which of its texts it was found by. */
  number: number;
  permissions: Right[];
  role_rights: Right[];
  roles: string[];
  /** What the owner may, where that is a ceiling: of a person. */
  owner_rights: Right[] | null;
  /** When the first of the owner's roles ends by itself. */
  owner_rights_until: Date | null;
  restrictions: Restrictions;
};

const rightsJson = `json_agg(json_build_object('resource', p.resource, 'pattern', p.pattern))`;
const current = 'a.subject_id = k.owner_id and (a.until is null or a.until > $2)';

/**
 * Finds keys (`KeyRecord`) by their digests, `$1`, at the time `$2`; every row answers its place `n`. One indexed look each; what
 * belongs to the key comes along. A prepared statement: planning it takes five times as long as doing it.
 */
export const readApiKey = {
  name: 'read api key',
  text: `select d.n, k.id, k.name, k.environment, k.owner_id, k.enabled, k.expires_at, k.revoked_at, k.permissions, k.restrictions,
      v.ends_at, v.number,
      s.kind as owner_kind, coalesce(u.username, c.client_id) as owner, coalesce(u.enabled, c.enabled, false) as owner_enabled,
      coalesce((select ${rightsJson} from api_key_roles x join role_permissions p on p.role_id = x.role_id where x.key_id = k.id), '[]')
        as role_rights,
      coalesce((select json_agg(r.name) from api_key_roles x join roles r on r.id = x.role_id where x.key_id = k.id), '[]') as roles,
      case when s.kind = 'user' then coalesce((select ${rightsJson} from role_assignments a
        join role_permissions p on p.role_id = a.role_id where ${current}), '[]') end as owner_rights,
      case when s.kind = 'user' then (select min(a.until) from role_assignments a where ${current}) end as owner_rights_until
    from unnest($1::bytea[]) with ordinality as d(digest, n) join api_key_versions v on v.digest = d.digest
      join api_keys k on k.id = v.key_id join subjects s on s.id = k.owner_id
      left join users u on u.id = s.id left join clients c on c.id = s.id`,
};

export type ExpiringKeys = {
  /** A thousand at most. */
  count: number;
  /** The one that expires first. */
  first: { id: string; name: string; expires_at: Date } | undefined;
};

/** The keys in use that expire in a period. */
export async function findExpiringKeys(db: Db, { from, to }: { from: Date; to: Date }): Promise<ExpiringKeys> {
  const { rows } = await sql<{ id: string; name: string; expires_at: Date; count: number }>`
    select id, name, expires_at, (count(*) over ())::int as count
      from (select id, name, expires_at from api_keys
        where revoked_at is null and expires_at > ${from} and expires_at <= ${to} and enabled order by expires_at limit 1000) k
      order by expires_at limit 1`.execute(db);
  const [first] = rows;
  return { count: first?.count ?? 0, first };
}
