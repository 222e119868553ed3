import { sql } from 'kysely';
import type { Trx } from '../../platform/database/index.ts';

// More than the revocations that a log can have lost: credentials with an epoch from after the backup must not become active again.
const epochsAhead = 1_000_000;

/**
 * Moves every owner to an epoch that none has ever had, so that nothing from before is accepted, whatever its clock was. Clients are
 * locked before users, the order that every transaction keeps.
 */
export async function jumpEpochs(trx: Trx): Promise<void> {
  for (const table of ['clients', 'users', 'resource_servers'])
    await sql`update ${sql.table(table)} set epoch = epoch + ${epochsAhead}`.execute(trx);
}

/**
 * Invalidates everything that can be used once and may have been used after the backup: codes, device codes, pushed requests, and pages of
 * an unfinished sign-in. @returns how many codes
 */
export async function revokeOneTimeCredentials(trx: Trx, now: Date): Promise<number> {
  const codes =
    await sql`update authorization_codes set expires_at = ${now} where consumed_at is null and expires_at > ${now}`.execute(
      trx,
    );
  const devices =
    await sql`update device_codes set expires_at = ${now} where consumed_at is null and expires_at > ${now}`.execute(
      trx,
    );
  await sql`delete from pushed_requests`.execute(trx);
  await sql`delete from interactions`.execute(trx);
  return Number(codes.numAffectedRows ?? 0n) + Number(devices.numAffectedRows ?? 0n);
}
