import { sql } from 'kysely';
import type { Trx } from '../../platform/database/index.ts';

/**
 * Ends what may be used once and was perhaps used after the backup: codes, device codes, pushed requests, and pages of a sign-in
 * under way. @returns how many codes
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
