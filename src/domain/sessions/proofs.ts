import type { Db } from '../../platform/database/index.ts';
import { findConfirmation } from './renewal-store.ts';

/** For how long a proof of who uses a session allows sensitive actions in it (OWASP ASVS 5.0 §7.5.3). */
export const proofSeconds = 10 * 60;
// Times that another node wrote may be a little ahead of this one's.
const toleratedMs = 60 * 1000;

/** Whether the last proof of this user in this session is too old for a sensitive action, or there was none. */
export async function isProofDue(db: Db, user_id: string, { uid, now }: { uid: string; now: Date }): Promise<boolean> {
  const confirmed_at = await findConfirmation(db, user_id, { uid, now });
  const ageMs = confirmed_at === undefined ? Number.POSITIVE_INFINITY : now.getTime() - confirmed_at.getTime();
  return ageMs > proofSeconds * 1000 || ageMs < -toleratedMs;
}
