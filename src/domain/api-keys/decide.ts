import { type KeyRequest, type RefusalCode, refusalCodes, refusals } from '../restrictions/index.ts';
import type { KeyEntry } from './entry.ts';
import { missingFrom, type PermissionQuery } from './permission-query.ts';

/** Why a key is refused, or not: a closed list, described in docs/gateway.md. */
export const keyCodes = [
  'valid',
  'malformed',
  'unknown',
  'revoked',
  'expired',
  'disabled',
  'owner_disabled',
  'insufficient_permissions',
  ...refusalCodes,
  'throttled',
] as const;
export type KeyCode = (typeof keyCodes)[number];

/** What a code means to the caller: accepted; unknown or no longer active; not allowed; not allowed now. */
export type VerdictKind = 'good' | 'dead' | 'refused' | 'limited';

const kindsOfRefusals = Object.fromEntries(
  refusalCodes.map((code) => [code, refusals[code].status === 429 ? 'limited' : 'refused'] as const),
) as Record<RefusalCode, 'limited' | 'refused'>;

export const keyCodeKinds: Readonly<Record<KeyCode, VerdictKind>> = {
  valid: 'good',
  malformed: 'dead',
  unknown: 'dead',
  revoked: 'dead',
  expired: 'dead',
  disabled: 'dead',
  owner_disabled: 'dead',
  insufficient_permissions: 'refused',
  ...kindsOfRefusals,
  throttled: 'limited',
};

/** A request, with the permissions that it needs. */
export type Asked = KeyRequest & { needs: PermissionQuery | undefined };

export type Decision = { code: KeyCode; reason: string; missing?: readonly string[] };

const permitted: Decision = { code: 'valid', reason: 'The key has this permission.' };
const authentic: Decision = {
  code: 'valid',
  reason: 'The key is authentic. The request names no permission, so none was checked.',
};

/** The verdict on an accepted key; without a permission in the request, it is only authentic. */
export function allowed({ needs }: Pick<Asked, 'needs'>): Decision {
  return needs === undefined ? authentic : permitted;
}

/** Whether a key may do this now, apart from limits: those are counted only if nothing else refuses the request. */
export function decide(entry: KeyEntry, asked: Asked, now: Date): Decision {
  const dead = inactiveReason(entry, now);
  if (dead) return dead;
  const missing = asked.needs === undefined ? [] : missingFrom(asked.needs, (one) => entry.may(one, asked.resource));
  if (missing.length > 0) return lacking(entry, asked, missing);
  for (const check of entry.checks) {
    const refusal = check(asked, now);
    if (refusal) return refusal;
  }
  return allowed(asked);
}

function inactiveReason({ revoked_at, expires_at, ends_at, enabled, owner, owner_enabled }: KeyEntry, now: Date) {
  if (revoked_at) return { code: 'revoked' as const, reason: `The key was revoked at ${revoked_at.toISOString()}.` };
  if (expires_at && expires_at.getTime() <= now.getTime())
    return { code: 'expired' as const, reason: `The key expired at ${expires_at.toISOString()}.` };
  if (ends_at && ends_at.getTime() <= now.getTime())
    return {
      code: 'expired' as const,
      reason: `The key was rotated; this version of it was accepted until ${ends_at.toISOString()}.`,
    };
  if (!enabled) return { code: 'disabled' as const, reason: 'The key is disabled.' };
  if (!owner_enabled)
    return { code: 'owner_disabled' as const, reason: `The owner of the key, ${owner.name}, is disabled.` };
  return undefined;
}

function lacking({ resources, may }: KeyEntry, { resource }: Asked, missing: readonly string[]): Decision {
  const named = missing.map((permission) => `"${permission}"`).join(', ');
  const elsewhere = resources.find((one) => one !== resource && missing.every((permission) => may(permission, one)));
  const where = resource === undefined ? '' : ` at ${resource}`;
  const hint = elsewhere === undefined ? '' : ` It has it at ${elsewhere}: name that API as the resource.`;
  const reason = `The key does not have ${named}${where}.${hint}`;
  return { code: 'insufficient_permissions', reason, missing };
}
