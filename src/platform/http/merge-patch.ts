import { z } from 'zod';
import { isJsonObject } from './json-object.ts';

/** A partial change to an object. */
export const MergePatch = z.record(z.string(), z.unknown()).meta({
  description: 'JSON Merge Patch (RFC 7396): members to set; null removes a member; omitted members do not change',
});
type MergePatch = z.infer<typeof MergePatch>;

/** The target with a patch applied (RFC 7396 §2). */
export function mergePatch(target: Readonly<Record<string, unknown>>, patch: MergePatch): Record<string, unknown> {
  const merged: Record<string, unknown> = { ...target };
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete merged[name];
    else merged[name] = isJsonObject(value) ? mergePatch(asObject(merged[name]), value) : value;
  }
  return merged;
}

/** The member of a patch (RFC 7396) that sets the given value, whatever the present one is; undefined: removes it. */
export function patchReplacing(before: unknown, after: unknown): unknown {
  if (after === undefined) return null;
  if (!isJsonObject(before) || !isJsonObject(after)) return after;
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return Object.fromEntries(names.map((name) => [name, patchReplacing(before[name], after[name])]));
}

function asObject(value: unknown): Record<string, unknown> {
  return isJsonObject(value) ? value : {};
}
