import { type Actor, forbidden, invalid } from '../../platform/http/index.ts';
import { allows, earliest, latestEnd } from '../access/index.ts';
import { dayMs, expiryByRisk } from '../credentials/index.ts';
import type { ApiKey, KeyVersion } from './store.ts';

const mostDays = 3660;

const neverExpirePermission = 'latchkey:api_key:never_expire';

type Asked = { expires_in_days?: number | undefined; expires_at?: Date | undefined; never_expires?: true | undefined };

/**
 * The requested expiry; undefined: the request names none.
 *
 * @throws Problem `invalid`: it is in the past; `forbidden`: it is more than ten years away
 */
export function askedExpiry(actor: Actor, { expires_in_days, expires_at }: Asked, now: Date): Date | undefined {
  if (expires_at === undefined)
    return expires_in_days === undefined ? undefined : new Date(now.getTime() + expires_in_days * dayMs);
  if (expires_at <= now)
    throw invalid('/expires_at', 'The expiry must be in the future; to stop a key now, revoke it.');
  if (expires_at.getTime() > now.getTime() + mostDays * dayMs) never(actor);
  return expires_at;
}

/**
 * The expiry of a new key; null: never. The default follows from the risk and is no later than the expiry of the actor's own
 * credential.
 *
 * @throws Problem `forbidden`, `invalid`
 */
export function expiryOf(actor: Actor, asked: Asked & { risk: ApiKey['risk'] }, now: Date): Date | null {
  if (asked.never_expires) return never(actor);
  return askedExpiry(actor, asked, now) ?? earliest([latestEnd(actor), expiryByRisk(asked.risk, now)]);
}

/** A key that never expires. @throws Problem `forbidden`: the actor lacks the permission for it */
export function never(actor: Actor): null {
  if (allows(actor.permissions, neverExpirePermission)) return null;
  const detail = `A key that never expires, or expires after more than ten years, needs "${neverExpirePermission}".`;
  throw forbidden(neverExpirePermission, detail, '/expires_at');
}

/** The state of a key. It is expired from the instant of its expiry on. */
export function stateOf(key: Pick<ApiKey, 'enabled' | 'revoked_at' | 'expires_at'>, now: Date) {
  if (key.revoked_at) return 'revoked' as const;
  if (key.expires_at && key.expires_at <= now) return 'expired' as const;
  return key.enabled ? ('active' as const) : ('disabled' as const);
}

/** Whether a version of a key is active, apart from the state of the key itself. */
export function isLiveVersion({ ends_at }: Pick<KeyVersion, 'ends_at'>, now: Date): boolean {
  return ends_at === null || ends_at > now;
}
