import { type RawBuilder, sql } from 'kysely';
import type { Db } from '../../platform/database/index.ts';
import { type Page, type Place, pageWith } from '../../platform/http/index.ts';
import {
  countRows,
  hasWords,
  isCommon,
  type ListOrders,
  type ListRequest,
  nextRowsWithWords,
  readPage,
  rowsWithWords,
  type Searched,
  type Slice,
} from '../../platform/lists/index.ts';
import { keptStart, looksLikeKey } from './format.ts';
import type { keyOrders, keyStates } from './schemas.ts';
import { type ApiKey, keyOf, keys, keysFrom, type Row } from './store.ts';

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
    // A key that does not expire sorts after all others; a key that was never used sorts before them.
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
  // A text that begins like a key is the beginning of a key; all other texts are words.
  const start = q && looksLikeKey(q) ? keptStart(q) : undefined;
  const from = rowsWithWords(searched, start === undefined ? q : undefined);
  const starting = sql`k.id = any(array(select v.key_id from api_key_versions v where v.start ^@ ${start}))`;
  const where = sql.join([...conditionsOf(filter, now), ...(start === undefined ? [] : [starting])], sql` and `);
  const read = async (source: RawBuilder<unknown>, { after, orderBy, place, limit: most }: Slice) => {
    // The limit comes before the joins: for the number of rows that it expects of a search, PostgreSQL would read whole tables.
    const limited = sql`(select k.*, ${place} as place from ${source} k where ${where} and ${after}
      order by ${orderBy} limit ${most})`;
    const { rows } = await sql<Row & { place: Place }>`${keysFrom(limited)} order by ${orderBy}`.execute(db);
    return rows;
  };
  const common = q && start === undefined && (await isCommon(db, searched, q)) ? q : undefined;
  const page = await readPage({ sort, limit, cursor, total }, orders, {
    read: async (slice) => {
      const next = common && (await read(nextRowsWithWords(searched, { q: common, alias: 'k', ...slice }), slice));
      return next && next.length === slice.limit ? next : read(from, slice);
    },
    count: (most) => countRows(db, sql`select from ${from} k where ${where} limit ${most}`),
  });
  return pageWith(page, keyOf);
}

const lastFour = /^[0-9A-Za-z]{4}$/;

/** Keys with a version that ends in these four characters, newest first; none for any other text. */
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

/** Keys of one owner, searched like all keys, filtered and sorted, from an offset: an owner has few keys. */
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
  // The next to expire comes first; expired and revoked keys come last.
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
