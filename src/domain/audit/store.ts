import { sql } from 'kysely';
import type { Digest } from '../../platform/crypto/index.ts';
import type { Trx } from '../../platform/database/index.ts';
import type { AuditAction } from './actions.ts';
import type { PersonalDetails } from './personal-details.ts';

const eraseAtOnce = 5000;

type AuditRow = {
  id: string;
  occurred_at: Date;
  actor_kind: string;
  actor_id: string | null;
  action: AuditAction;
  target_kind: string | null;
  target_id: string | null;
  outcome: 'success' | 'failure';
  reason: string | null;
  request_id: string | null;
  details: string | null;
  personal_digest: Digest | null;
};

/** An event as it is stored: the row that stays, and the one that can be erased. */
export type AuditRows = { row: AuditRow; personal_details: PersonalDetails | null };

export async function insertEvent(trx: Trx, { row, personal_details }: AuditRows): Promise<void> {
  if (!personal_details) {
    await trx.insertInto('audit_events').values(row).execute();
    return;
  }
  await trx
    .with('event', (db) => db.insertInto('audit_events').values(row))
    .insertInto('audit_personal_details')
    .values({ event_id: row.id, ...personal_details })
    .execute();
}

/** Counts the events of a subject that have personal details. */
export async function countPersonalDetails(trx: Trx, subject_id: string): Promise<number> {
  const { count } = await trx
    .selectFrom('audit_events as e')
    .innerJoin('audit_personal_details as p', 'p.event_id', 'e.id')
    .select(({ fn }) => fn.countAll<string>().as('count'))
    .where((eb) => eb.or([eb('e.actor_id', '=', subject_id), eb('e.target_id', '=', subject_id)]))
    .executeTakeFirstOrThrow();
  return Number(count);
}

/**
 * Deletes a batch of a subject's personal details, in the transaction that has recorded their erasure: the database refuses others.
 *
 * @returns how many; 0 when there are no more
 */
export async function deletePersonalDetails(trx: Trx, subject_id: string): Promise<number> {
  const { rows } = await sql<{
    erased: number;
  }>`select audit_erase_details(${subject_id}, ${eraseAtOnce}) as erased`.execute(trx);
  return rows[0]?.erased ?? 0;
}
