import { allows } from '../access/index.ts';
import { type Actor, forbidden, invalid } from '../platform/http/index.ts';
import type { ApiKey, KeyVersion } from './store.ts';

/** How long a key lasts of which nothing else is said, in days, by what its loss would mean. */
const defaultDays = { high: 30, medium: 90, low: 180 } as const;
const dayMs = 86_400_000;

const neverExpirePermission = 'latchkey:api_key:never_expire';

type Asked = { expires_in_days?: number | undefined; expires_at?: Date | undefined; never_expires?: true | undefined };

/** The moment that was asked for; undefined: nothing was said. @throws Problem `invalid`: it is over already */
export function askedExpiry({ expires_in_days, expires_at }: Asked, now: Date): Date | undefined {
  if (expires_at !== undefined && expires_at <= now) throw invalid('/expires_at', 'The expiry must be in the future.');
  return expires_in_days === undefined ? expires_at : new Date(now.getTime() + expires_in_days * dayMs);
}

/** When a new key ends; null: never. @throws Problem `forbidden`, `invalid` */
export function expiryOf(actor: Actor, asked: Asked & { risk: ApiKey['risk'] }, now: Date): Date | null {
  if (asked.never_expires) return never(actor);
  return askedExpiry(asked, now) ?? new Date(now.getTime() + defaultDays[asked.risk] * dayMs);
}

/** A key without end. @throws Problem `forbidden`: not everybody may have one */
export function never(actor: Actor): null {
  if (allows(actor.permissions, neverExpirePermission)) return null;
  throw forbidden(neverExpirePermission, `A key that never expires needs "${neverExpirePermission}".`);
}

/** In which state a key is. The moment of its expiry is past its life. */
export function stateOf(key: Pick<ApiKey, 'enabled' | 'revoked_at' | 'expires_at'>, now: Date) {
  if (key.revoked_at) return 'revoked' as const;
  if (key.expires_at && key.expires_at <= now) return 'expired' as const;
  return key.enabled ? ('active' as const) : ('disabled' as const);
}

export function isLiveVersion({ ends_at }: Pick<KeyVersion, 'ends_at'>, now: Date): boolean {
  return ends_at === null || ends_at > now;
}
