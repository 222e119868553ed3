import { sql } from 'kysely';
import type { Sealed } from '../../platform/crypto/index.ts';
import type { Db, Trx } from '../../platform/database/index.ts';

/** If several create a term at once, each creates its own. @returns the number of the next one */
export async function lockNextTerm(trx: Trx): Promise<number> {
  await sql`select pg_advisory_xact_lock(hashtext('latchkey vault term'))`.execute(trx);
  const { rows } = await sql<{ term: number }>`select max(term) + 1 as term from vault_terms`.execute(trx);
  return rows[0]?.term ?? 1;
}

export type TermState = {
  term: number;
  created_at: Date;
  /** How many versions have their keys sealed under it, and how many under earlier ones. */
  versions: number;
  earlier_versions: number;
};

/** The current term, and the versions whose keys are sealed under it and under earlier ones. */
export async function findCurrentTerm(db: Db): Promise<TermState | undefined> {
  const { rows } = await sql<TermState>`select t.term, t.created_at,
      (select count(*)::int from secret_versions v where v.term = t.term) as versions,
      (select count(*)::int from secret_versions v where v.term < t.term) as earlier_versions
    from vault_terms t order by t.term desc limit 1`.execute(db);
  return rows[0];
}

/** Whether there are terms before the current one. */
export async function hasEarlierTerms(db: Db): Promise<boolean> {
  const { rows } = await sql<{ count: number }>`select count(*)::int as count from vault_terms`.execute(db);
  return (rows[0]?.count ?? 0) > 1;
}

export type EarlierVersion = { secret_id: string; path: string; number: number; term: number; sealed_key: Sealed };
export type Position = Pick<EarlierVersion, 'secret_id' | 'number'>;

/** The next versions of earlier terms. Locked ones are left to the next sweep. */
export async function lockEarlierVersions(
  trx: Trx,
  { term, after, limit }: { term: number; after: Position | undefined; limit: number },
): Promise<EarlierVersion[]> {
  const { secret_id, number } = after ?? { secret_id: '00000000-0000-0000-0000-000000000000', number: 0 };
  const { rows } = await sql<EarlierVersion>`
    select v.secret_id, s.path, v.number, v.term, v.sealed_key from secret_versions v join secrets s on s.id = v.secret_id
      where v.term < ${term} and (v.secret_id, v.number) > (${secret_id}::uuid, ${number}::int)
      order by v.secret_id, v.number limit ${limit} for update of v skip locked`.execute(trx);
  return rows;
}

export async function setVersionKey(
  trx: Trx,
  { secret_id, number }: Position,
  key: { term: number; sealed_key: Sealed },
): Promise<void> {
  await trx
    .updateTable('secret_versions')
    .set(key)
    .where('secret_id', '=', secret_id)
    .where('number', '=', number)
    .execute();
}

/** Terms before this one under which nothing is sealed any more. @returns which */
export async function deleteUnusedTerms(trx: Trx, term: number): Promise<number[]> {
  const { rows } = await sql<{ term: number }>`delete from vault_terms t where t.term < ${term}
    and not exists (select from secret_versions v where v.term = t.term) returning t.term`.execute(trx);
  return rows.map((row) => row.term).toSorted((a, b) => a - b);
}
