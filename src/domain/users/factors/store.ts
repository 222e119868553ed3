import { type Insertable, type Selectable, sql } from 'kysely';
import type { Database } from '../../../../db/schema.ts';
import type { Digest, Sealed } from '../../../platform/crypto/index.ts';
import type { Db, Trx } from '../../../platform/database/index.ts';

/** How an authenticator app computes its codes (RFC 6238). `period`: in seconds. */
export type CodeParameters = { algorithm: 'sha1' | 'sha256' | 'sha512'; digits: 6 | 8; period: number };

type FactorRow = Selectable<Database['factors']>;
export type Passkey = Pick<FactorRow, 'id' | 'user_id' | 'name' | 'created_at' | 'last_used_at'> & {
  passkey_id: Buffer;
  public_key: Buffer;
  sign_count: string;
  transports: string[];
  is_backed_up: boolean;
};
export type OneTimeCodes = Pick<FactorRow, 'id' | 'created_at' | 'last_used_at' | 'last_step'> & {
  key_id: number;
  sealed: Sealed;
  parameters: CodeParameters | null;
};

const passkeyColumns = [
  'id',
  'user_id',
  'name',
  'created_at',
  'last_used_at',
  'passkey_id',
  'public_key',
  'sign_count',
  'transports',
  'is_backed_up',
] as const;

const asPasskey = (row: Pick<FactorRow, (typeof passkeyColumns)[number]>): Passkey =>
  ({ ...row, transports: row.transports ?? [] }) as unknown as Passkey;

/** The passkeys of a user, the oldest first. */
export async function listPasskeys(db: Db, user_id: string): Promise<Passkey[]> {
  const query = db.selectFrom('factors').select(passkeyColumns).where('user_id', '=', user_id);
  return (await query.where('kind', '=', 'passkey').orderBy('id').execute()).map(asPasskey);
}

/** The passkey with the id that an authenticator sends. */
export async function findPasskey(db: Db, passkey_id: Buffer): Promise<Passkey | undefined> {
  const query = db.selectFrom('factors').select(passkeyColumns).where('kind', '=', 'passkey');
  const row = await query.where('passkey_id', '=', passkey_id).executeTakeFirst();
  return row && asPasskey(row);
}

export async function findOneTimeCodes(db: Db, user_id: string): Promise<OneTimeCodes | undefined> {
  const row = await db
    .selectFrom('factors')
    .select(['id', 'created_at', 'last_used_at', 'last_step', 'key_id', 'sealed', 'parameters'])
    .where('user_id', '=', user_id)
    .where('kind', '=', 'totp')
    .executeTakeFirst();
  return row as OneTimeCodes | undefined;
}

/**
 * Whether a user has a passkey or an authenticator app, so that the password alone is not enough. Recovery codes only replace these.
 */
export async function hasSecondFactor(db: Db, user_id: string): Promise<boolean> {
  const query = db.selectFrom('factors').select('id').where('user_id', '=', user_id);
  return (await query.where('kind', 'in', ['totp', 'passkey']).limit(1).executeTakeFirst()) !== undefined;
}

/** When a factor or recovery code was last added to a user; undefined: there is none. */
export async function lastFactorAt(db: Db, user_id: string): Promise<Date | undefined> {
  const query = db.selectFrom('factors').select(({ fn }) => fn.max('created_at').as('last'));
  return (await query.where('user_id', '=', user_id).executeTakeFirstOrThrow()).last ?? undefined;
}

export async function countRecoveryCodes(db: Db, user_id: string): Promise<number> {
  const { left } = await db
    .selectFrom('factors')
    .select(sql<number>`count(*)::int`.as('left'))
    .where('user_id', '=', user_id)
    .where('kind', '=', 'recovery_code')
    .executeTakeFirstOrThrow();
  return left;
}

export async function insertFactor(trx: Trx, factor: Insertable<Database['factors']>): Promise<void> {
  await trx.insertInto('factors').values(factor).execute();
}

/** Accepts a time step unless it, or a later one, was accepted before; of concurrent requests one is accepted. */
export async function acceptStep(trx: Trx, id: string, { step, now }: { step: number; now: Date }): Promise<boolean> {
  const { numUpdatedRows } = await trx
    .updateTable('factors')
    .set({ last_step: step, last_used_at: now })
    .where('id', '=', id)
    .where((eb) => eb.or([eb('last_step', 'is', null), eb('last_step', '<', String(step))]))
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

/** Uses a recovery code; false: there is none, or it was used. */
export async function useRecoveryCode(trx: Trx, user_id: string, digest: Digest): Promise<boolean> {
  const { numDeletedRows } = await trx
    .deleteFrom('factors')
    .where('user_id', '=', user_id)
    .where('kind', '=', 'recovery_code')
    .where('digest', '=', digest)
    .executeTakeFirst();
  return numDeletedRows === 1n;
}

type PasskeyUse = { sign_count: number; is_backed_up: boolean; now: Date };

/** Records a use of a passkey; false: it was removed meanwhile, or its counter already passed this one: of two copies one is accepted. */
export async function notePasskeyUse(
  trx: Trx,
  id: string,
  { sign_count, is_backed_up, now }: PasskeyUse,
): Promise<boolean> {
  const { numUpdatedRows } = await trx
    .updateTable('factors')
    .set({ sign_count, is_backed_up, last_used_at: now })
    .where('id', '=', id)
    .where((eb) => (sign_count === 0 ? eb('sign_count', '=', '0') : eb('sign_count', '<', String(sign_count))))
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

export async function renamePasskey(trx: Trx, { id, user_id, name }: Record<'id' | 'user_id' | 'name', string>) {
  const query = trx.updateTable('factors').set({ name }).where('id', '=', id).where('user_id', '=', user_id);
  return (await query.where('kind', '=', 'passkey').executeTakeFirst()).numUpdatedRows === 1n;
}

/** Deletes the factors of a user: one, all of a kind, or all. @returns how many */
export async function deleteFactors(
  trx: Trx,
  user_id: string,
  only: { id?: string; kind?: FactorRow['kind'] } = {},
): Promise<number> {
  const { numDeletedRows } = await trx
    .deleteFrom('factors')
    .where('user_id', '=', user_id)
    .$if(only.id !== undefined, (query) => query.where('id', '=', only.id ?? ''))
    .$if(only.kind !== undefined, (query) => query.where('kind', '=', only.kind ?? 'totp'))
    .executeTakeFirst();
  return Number(numDeletedRows);
}
