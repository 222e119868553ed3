import { type Actor, forbidden, invalid } from '../../platform/http/index.ts';
import { allows, earliest, latestEnd } from '../access/index.ts';
import { dayMs, expiryByRisk } from '../credentials/index.ts';
import type { ApiKey, KeyVersion } from './store.ts';

const mostDays = 3660;

const neverExpirePermission = 'latchkey:api_key:never_expire';

type Asked = { expires_in_days?: number | undefined; expires_at?: Date | undefined; never_expires?: true | undefined };

/**
 * The moment that was asked for; undefined: nothing was said.
 *
 * @throws Problem `invalid`: it is over already; `forbidden`: it is as good as never
 */
export function askedExpiry(actor: Actor, { expires_in_days, expires_at }: Asked, now: Date): Date | undefined {
  if (expires_at === undefined)
    return expires_in_days === undefined ? undefined : new Date(now.getTime() + expires_in_days * dayMs);
  if (expires_at <= now) throw invalid('/expires_at', 'The expiry must be in the future; to end a key, revoke it.');
  if (expires_at.getTime() > now.getTime() + mostDays * dayMs) never(actor);
  return expires_at;
}

/**
 * When a new key ends; null: never. Where nothing is asked for, no later than what the actor acts by.
 *
 * @throws Problem `forbidden`, `invalid`
 */
export function expiryOf(actor: Actor, asked: Asked & { risk: ApiKey['risk'] }, now: Date): Date | null {
  if (asked.never_expires) return never(actor);
  return askedExpiry(actor, asked, now) ?? earliest([latestEnd(actor), expiryByRisk(asked.risk, now)]);
}

/** A key without end. @throws Problem `forbidden`: not everybody may have one */
export function never(actor: Actor): null {
  if (allows(actor.permissions, neverExpirePermission)) return null;
  const detail = `A key that never expires, or not within ten years, needs "${neverExpirePermission}".`;
  throw forbidden(neverExpirePermission, detail, '/expires_at');
}

/** In which state a key is. The moment of its expiry is past its life. */
export function stateOf(key: Pick<ApiKey, 'enabled' | 'revoked_at' | 'expires_at'>, now: Date) {
  if (key.revoked_at) return 'revoked' as const;
  if (key.expires_at && key.expires_at <= now) return 'expired' as const;
  return key.enabled ? ('active' as const) : ('disabled' as const);
}

/** Whether a text of a key still works as far as it alone is concerned. */
export function isLiveVersion({ ends_at }: Pick<KeyVersion, 'ends_at'>, now: Date): boolean {
  return ends_at === null || ends_at > now;
}
