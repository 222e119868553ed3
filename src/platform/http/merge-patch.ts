import { z } from 'zod';

/** Any change to something that is described member by member. */
export const MergePatch = z.record(z.string(), z.unknown()).meta({
  description: 'JSON Merge Patch (RFC 7396): members to set; null removes a member; omitted members do not change',
});
type MergePatch = z.infer<typeof MergePatch>;

/** The target with a patch applied (RFC 7396 §2). */
export function mergePatch(target: Readonly<Record<string, unknown>>, patch: MergePatch): Record<string, unknown> {
  const merged: Record<string, unknown> = { ...target };
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete merged[name];
    else merged[name] = isObject(value) ? mergePatch(asObject(merged[name]), value) : value;
  }
  return merged;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function asObject(value: unknown): Record<string, unknown> {
  return isObject(value) ? value : {};
}
