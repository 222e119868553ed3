import { sql } from 'kysely';
import type { Trx } from '../../platform/database/index.ts';

/** Of two nodes that apply at once the second sees what the first did. */
export async function lockApplying(trx: Trx): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtext('latchkey apply'))`.execute(trx);
}
