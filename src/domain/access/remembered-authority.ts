import type { StoredAuthority } from '../../../db/schema.ts';
import type { Db } from '../../platform/database/index.ts';
import { type Actor, type Limit, Problem } from '../../platform/http/index.ts';
import { mustHoldAllOf } from './groups.ts';
import { intersection } from './permissions.ts';
import { listHeldRights } from './store.ts';

/** The authority of an actor, stored to be judged again later; undefined: the operator of the machine, who may do everything. */
export function authorityOf({ kind, subject_id, limits }: Actor): StoredAuthority | undefined {
  return kind === 'system' ? undefined : { subject_id: subject_id ?? null, limits: limits ?? [] };
}

/** The same, as the value of a column. */
export function storedAuthorityOf(actor: Actor): string | null {
  const authority = authorityOf(actor);
  return authority ? JSON.stringify(authority) : null;
}

/** Whether that actor still holds all that the user holds now: they must not gain rights that the user got meanwhile. */
export async function stillHoldsAllOf(
  db: Db,
  { subject_id, limits }: StoredAuthority,
  { user_id, now }: { user_id: string; now: Date },
): Promise<boolean> {
  const own = subject_id === null ? [] : await listHeldRights(db, subject_id, now);
  const narrowing = limits.map((limit) => asLimit(limit as Limit));
  const sets = [own, ...narrowing.map(({ rights }) => rights)].map((rights) => rights.map(({ pattern }) => pattern));
  const permissions = sets.reduce((left, right) => intersection(left, right));
  const authority = subject_id === null ? {} : { subject_id, limits: narrowing };
  const maker: Actor = { kind: 'user', ...authority, permissions, origin: {} };
  try {
    await mustHoldAllOf(db, maker, user_id, now);
    return true;
  } catch (error) {
    if (error instanceof Problem && error.type === 'forbidden') return false;
    throw error;
  }
}

/** JSON has no dates. */
function asLimit({ until, ...limit }: Omit<Limit, 'until'> & { until: string | Date | null }): Limit {
  return { ...limit, until: until === null ? null : new Date(until) };
}
