import { isDeepStrictEqual } from 'node:util';

/** The old and the new value of a member; null: it was or is absent. */
type Change = { old: unknown; new: unknown };

type Members = Record<string, unknown>;

/**
 * What an action changed, for the details of its event: the members that differ, before and after. The caller leaves out
 * secrets and personal details, because an event is never changed or erased.
 */
export function changesBetween(before: Members, after: Members): Record<string, Change> {
  const members = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  const changed = members.filter((member) => !isDeepStrictEqual(before[member] ?? null, after[member] ?? null));
  return Object.fromEntries(
    changed.map((member) => [member, { old: before[member] ?? null, new: after[member] ?? null }]),
  );
}
