import { type Insertable, type Selectable, sql, type Updateable } from 'kysely';
import type { Database } from '../../../db/schema.ts';
import type { Sealed } from '../../platform/crypto/index.ts';
import type { Db, Trx } from '../../platform/database/index.ts';
import { type Owner, ownerReference } from '../access/index.ts';

export type SecretRow = Selectable<Database['secrets']>;
export type VersionRow = Selectable<Database['secret_versions']>;
export type VersionState = 'live' | 'deleted' | 'expired' | 'destroyed';

export type SecretRecord = SecretRow & {
  owner: Owner | null;
  /** Of its current version; null: it has none. */
  current_state: VersionState | null;
  /** When it is due for rotation; null: neither its risk nor an expiry says so, or it has nothing to rotate. */
  due_at: Date | null;
};

/** A version without its value. */
export type Version = Omit<VersionRow, 'sealed_key' | 'sealed_value' | 'term' | 'secret_id'> & { state: VersionState };

const versionColumns = [
  'number',
  'size',
  'created_by_kind',
  'created_by_id',
  'created_at',
  'expires_at',
  'deleted_at',
  'destroyed_at',
] as const;

export async function isUserId(db: Db, id: string): Promise<boolean> {
  return (await db.selectFrom('users').select('id').where('id', '=', id).executeTakeFirst()) !== undefined;
}

/** The state of a version, a row `v`, at a time. */
function stateAt(now: Date) {
  return sql<VersionState>`case when v.destroyed_at is not null then 'destroyed' when v.deleted_at is not null then 'deleted'
    when v.expires_at <= ${now} then 'expired' else 'live' end`;
}

/** The state of the current version of a secret. */
export const currentStateAt = (now: Date) =>
  sql<VersionState | null>`case when v.number is not null then ${stateAt(now)} end`;

/** When a secret is due: by its risk, since its current version was written, or since it was last replaced where it is stored. */
export const dueAt = sql<Date | null>`case when v.deleted_at is null and v.destroyed_at is null
  then rotation_due_at(secrets.risk, coalesce(v.created_at, secrets.rotated_at), v.expires_at) end`;

export function secretRecords(db: Db, now: Date) {
  return db
    .selectFrom('secrets')
    .leftJoin('secret_versions as v', (join) =>
      join.onRef('v.secret_id', '=', 'secrets.id').onRef('v.number', '=', 'secrets.current_version'),
    )
    .selectAll('secrets')
    .select([
      ownerReference('secrets.owner_id').as('owner'),
      currentStateAt(now).as('current_state'),
      dueAt.as('due_at'),
    ]);
}

export async function findSecret(db: Db, path: string, now: Date): Promise<SecretRecord | undefined> {
  return secretRecords(db, now).where('path', '=', path).executeTakeFirst();
}

export async function lockSecret(trx: Trx, path: string): Promise<SecretRow | undefined> {
  return trx.selectFrom('secrets').selectAll().where('path', '=', path).forUpdate().executeTakeFirst();
}

/** If several create a secret at once, one does; the others wait, and lock it. */
export async function lockOrCreateSecret(
  trx: Trx,
  row: Insertable<Database['secrets']>,
): Promise<{ secret: SecretRow; isNew: boolean }> {
  const existing = await lockSecret(trx, row.path);
  if (existing) return { secret: existing, isNew: false };
  const made = await trx
    .insertInto('secrets')
    .values(row)
    .onConflict((conflict) => conflict.column('path').doNothing())
    .returningAll()
    .executeTakeFirst();
  if (made) return { secret: made, isNew: true };
  return lockOrCreateSecret(trx, row);
}

export async function updateSecret(trx: Trx, id: string, changes: Updateable<Database['secrets']>): Promise<SecretRow> {
  return trx
    .updateTable('secrets')
    .set((eb) => ({ ...changes, version: eb('version', '+', 1) }))
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** Its versions are deleted with it. */
export async function deleteSecret(trx: Trx, id: string): Promise<void> {
  await trx.deleteFrom('secrets').where('id', '=', id).execute();
}

export async function insertVersion(trx: Trx, row: Insertable<Database['secret_versions']>): Promise<Version> {
  const made = await trx.insertInto('secret_versions').values(row).returning(versionColumns).executeTakeFirstOrThrow();
  return { ...made, state: 'live' };
}

export async function listVersions(db: Db, secret_id: string, now: Date): Promise<Version[]> {
  return db
    .selectFrom('secret_versions as v')
    .select(versionColumns)
    .select(stateAt(now).as('state'))
    .where('secret_id', '=', secret_id)
    .orderBy('number')
    .execute();
}

/** The sealed value of a version; undefined, null: it was destroyed. */
export async function findSealedValue(db: Db, secret_id: string, number: number): Promise<Sealed | null | undefined> {
  const query = db.selectFrom('secret_versions').select('sealed_value').where('secret_id', '=', secret_id);
  return (await query.where('number', '=', number).executeTakeFirst())?.sealed_value;
}

/** Versions that are neither deleted nor destroyed. @returns those that were deleted now */
export async function markDeleted(
  trx: Trx,
  secret_id: string,
  numbers: readonly number[],
  deleted_at: Date,
): Promise<number[]> {
  const rows = await trx
    .updateTable('secret_versions')
    .set({ deleted_at })
    .where('secret_id', '=', secret_id)
    .where('number', 'in', [...numbers])
    .where('deleted_at', 'is', null)
    .where('destroyed_at', 'is', null)
    .returning('number')
    .execute();
  return inOrder(rows);
}

/** Deleted or expired versions become readable again; destroyed ones do not. */
export async function markUndeleted(
  trx: Trx,
  secret_id: string,
  numbers: readonly number[],
  now: Date,
): Promise<number[]> {
  const rows = await trx
    .updateTable('secret_versions')
    .set({ deleted_at: null, expires_at: sql`case when expires_at > ${now} then expires_at end` })
    .where('secret_id', '=', secret_id)
    .where('number', 'in', [...numbers])
    .where((eb) => eb.or([eb('deleted_at', 'is not', null), eb('expires_at', '<=', now)]))
    .where('destroyed_at', 'is', null)
    .returning('number')
    .execute();
  return inOrder(rows);
}

/** Destroys versions: their keys and values are deleted. */
export async function markDestroyed(
  trx: Trx,
  secret_id: string,
  numbers: readonly number[],
  destroyed_at: Date,
): Promise<number[]> {
  const rows = await trx
    .updateTable('secret_versions')
    .set({ destroyed_at, term: null, sealed_key: null, sealed_value: null })
    .where('secret_id', '=', secret_id)
    .where('number', 'in', [...numbers])
    .where('destroyed_at', 'is', null)
    .returning('number')
    .execute();
  return inOrder(rows);
}

/** The oldest versions above the limit. @returns which */
export async function deleteVersionsUpTo(trx: Trx, secret_id: string, number: number): Promise<number[]> {
  const rows = await trx
    .deleteFrom('secret_versions')
    .where('secret_id', '=', secret_id)
    .where('number', '<=', number)
    .returning('number')
    .execute();
  return inOrder(rows);
}

const inOrder = (rows: readonly { number: number }[]) => rows.map(({ number }) => number).toSorted((a, b) => a - b);

export type SecretDefaults = Pick<
  Selectable<Database['secret_defaults']>,
  'max_versions' | 'cas_required' | 'delete_after_seconds'
>;

export function findDefaults(db: Db): Promise<SecretDefaults | undefined> {
  return db
    .selectFrom('secret_defaults')
    .select(['max_versions', 'cas_required', 'delete_after_seconds'])
    .executeTakeFirst();
}

/** Until the end of the transaction nobody else changes them. There may be no row to lock. */
export async function lockDefaults(trx: Trx): Promise<void> {
  await sql`lock table secret_defaults in share row exclusive mode`.execute(trx);
}

export async function putDefaults(trx: Trx, row: SecretDefaults & { updated_at: Date }): Promise<void> {
  await trx
    .insertInto('secret_defaults')
    .values(row)
    .onConflict((conflict) => conflict.column('single').doUpdateSet(row))
    .execute();
}
