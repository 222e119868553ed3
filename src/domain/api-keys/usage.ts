import type { Db } from '../../platform/database/index.ts';
import { dayMs } from '../credentials/index.ts';
import { getKey } from './api-keys.ts';
import type { KeyRef } from './store.ts';
import { listUsage } from './usage-store.ts';

/** The start of a day, in UTC. */
export function dayOf(at: Date): Date {
  return new Date(Math.floor(at.getTime() / dayMs) * dayMs);
}

/** Whether an instant is on the day that starts at `day`. */
export function isOn(day: Date, at: Date): boolean {
  const passed = at.getTime() - day.getTime();
  return passed >= 0 && passed < dayMs;
}

/**
 * The usage of a key in the last days, including today.
 *
 * @throws Problem `not_found`
 */
export async function usageOf({ db, now }: { db: Db; now: () => Date }, { days, ...ref }: KeyRef & { days: number }) {
  const { id, last_used_at } = await getKey(db, ref);
  const since = new Date(dayOf(now()).getTime() - (days - 1) * dayMs);
  const rows = (await listUsage(db, id, since)).map(({ day, allowed, refused }) => ({
    day: day.toISOString().slice(0, 10),
    allowed: Number(allowed),
    refused: Number(refused),
  }));
  const total = (of: (row: { allowed: number; refused: number }) => number) =>
    rows.reduce((sum, row) => sum + of(row), 0);
  return { last_used_at, allowed: total((row) => row.allowed), refused: total((row) => row.refused), days: rows };
}
