import { type Insertable, type RawBuilder, type Selectable, sql, type Updateable } from 'kysely';
import type { Database } from '../../../db/schema.ts';
import type { Digest } from '../../platform/crypto/index.ts';
import type { Db, Trx } from '../../platform/database/index.ts';
import type { Restrictions } from '../restrictions/index.ts';

export type KeyVersion = { number: number; start: string; last_four: string; issued_at: Date; ends_at: Date | null };

/** A key with its permissions, roles, tags and versions. */
export type ApiKey = Omit<Selectable<Database['api_keys']>, 'restrictions'> & {
  restrictions: Restrictions;
  owner_kind: 'user' | 'client';
  /** Username or `client_id`. */
  owner: string;
  roles: string[];
  tags: string[];
  /** The current one first. */
  versions: KeyVersion[];
};

export type Row = Omit<ApiKey, 'versions'> & {
  versions: (Omit<KeyVersion, 'issued_at' | 'ends_at'> & { issued_at: string; ends_at: string | null })[];
};

export const keysFrom = (
  from: RawBuilder<unknown>,
) => sql`select k.*, s.kind as owner_kind, coalesce(u.username, c.client_id) as owner,
    coalesce((select json_agg(r.name order by r.name) from api_key_roles x join roles r on r.id = x.role_id where x.key_id = k.id), '[]')
      as roles,
    coalesce((select json_agg(t.tag order by t.tag) from api_key_tags t where t.key_id = k.id), '[]') as tags,
    (select json_agg(json_build_object('number', v.number, 'start', v.start, 'last_four', v.last_four, 'issued_at', v.issued_at,
      'ends_at', v.ends_at) order by v.number desc) from api_key_versions v where v.key_id = k.id) as versions
  from ${from} k join subjects s on s.id = k.owner_id left join users u on u.id = s.id left join clients c on c.id = s.id`;
export const keys = keysFrom(sql`api_keys`);

export function keyOf({ versions, ...row }: Row): ApiKey {
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

/** The condition for one key; with an owner, only if it is theirs. */
export type KeyRef = { id: string; owner_id?: string | undefined };

export async function findKey(db: Db, { id, owner_id }: KeyRef): Promise<ApiKey | undefined> {
  const owned = owner_id === undefined ? sql`true` : sql`k.owner_id = ${owner_id}`;
  const { rows } = await sql<Row>`${keys} where k.id = ${id} and ${owned}`.execute(db);
  return rows[0] && keyOf(rows[0]);
}

// The owner of a key never changes, so it is the same before and after the lock.
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

/** Sets the expiry of versions with a lower number, unless they expire earlier. @returns how many */
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

/** The version with this digest and its key, unless the overlap of the version has ended. */
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
