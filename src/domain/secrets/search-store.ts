import type { Db, Trx } from '../../platform/database/index.ts';

/** A version of a secret, and which part of it has the value. */
export type FoundVersion = { path: string; number: number; part: string; is_current: boolean; destroyed: boolean };

export async function insertDigests(
  trx: Trx,
  { secret_id, number }: { secret_id: string; number: number },
  digests: Readonly<Record<string, string>>,
): Promise<void> {
  const rows = Object.entries(digests).map(([part, digest]) => ({ secret_id, number, part, digest }));
  if (rows.length > 0) await trx.insertInto('secret_value_digests').values(rows).execute();
}

export async function listVersionsWith(db: Db, digest: string, most: number): Promise<FoundVersion[]> {
  return db
    .selectFrom('secret_value_digests as d')
    .innerJoin('secrets as s', 's.id', 'd.secret_id')
    .innerJoin('secret_versions as v', (join) =>
      join.onRef('v.secret_id', '=', 'd.secret_id').onRef('v.number', '=', 'd.number'),
    )
    .select(['s.path', 'd.number', 'd.part'])
    .select((eb) => [
      eb('s.current_version', '=', eb.ref('d.number')).$castTo<boolean>().as('is_current'),
      eb('v.destroyed_at', 'is not', null).$castTo<boolean>().as('destroyed'),
    ])
    .where('d.digest', '=', digest)
    .orderBy('s.path')
    .orderBy('d.number')
    .limit(most)
    .execute();
}
