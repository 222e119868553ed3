import { allows, intersection, patternsAt, type Right } from '../access/index.ts';
import { compileRestrictions } from '../restrictions/index.ts';
import type { KeyRecord } from './key-record.ts';
import { type CountedLimit, countedLimit } from './limits/counters.ts';

/** A cached key, prepared so that a verification is cheap. */
export type KeyEntry = Pick<
  KeyRecord,
  | 'id'
  | 'name'
  | 'environment'
  | 'enabled'
  | 'owner_enabled'
  | 'expires_at'
  | 'revoked_at'
  | 'ends_at'
  | 'number'
  | 'roles'
> & {
  owner: { kind: 'user' | 'client'; id: string; name: string };
  /** Whether it has this permission at an API; `undefined`: the request names no API. */
  may: (permission: string, resource: string | undefined) => boolean;
  permissionsAt: (resource: string | undefined) => readonly string[];
  /** APIs that its permissions name. */
  resources: readonly string[];
  checks: ReturnType<typeof compileRestrictions>['checks'];
  limits: readonly CountedLimit[];
  /** From then on parts of it may have expired: it is looked up again. */
  fresh_until: Date;
};

const freshMs = 60_000;
const mostResources = 4;
const mostPermissions = 32;
const longestRemembered = 128;

/** Prepares a key that was read. */
export function compileKey(record: KeyRecord, now: Date): KeyEntry {
  const { id, name, environment, enabled, owner_enabled, expires_at, revoked_at, ends_at, number, roles } = record;
  const { checks, limits } = compileRestrictions(record.restrictions);
  const own = [...record.permissions, ...record.role_rights];
  const permissionsAt = remembering(mostResources, (resource) => keyPatternsAt(own, record.owner_rights, resource));
  const may = remembering(mostResources, (resource) => {
    const patterns = permissionsAt(resource);
    return remembering(mostPermissions, (permission) => allows(patterns, permission ?? ''));
  });
  const latest = new Date(now.getTime() + freshMs);
  const { owner_rights_until: until } = record;
  return {
    ...{ id, name, environment, enabled, owner_enabled, expires_at, revoked_at, ends_at, number, roles },
    owner: { kind: record.owner_kind, id: record.owner_id, name: record.owner },
    may: (permission, resource) => may(resource)(permission),
    permissionsAt,
    resources: [...new Set(own.flatMap(({ resource }) => resource ?? []))],
    checks,
    limits: limits.map((limit) => countedLimit(id, limit)),
    fresh_until: until !== null && until < latest ? until : latest,
  };
}

/** The permissions of a key at an API; a user's key has no more than its user. */
function keyPatternsAt(
  own: readonly Right[],
  ceiling: readonly Right[] | null,
  resource: string | undefined,
): string[] {
  const patterns = patternsAt(own, resource);
  return ceiling === null ? [...new Set(patterns)] : intersection(patterns, patternsAt(ceiling, resource));
}

/** How long a token for a key may last: until the key or this version of it expires. The earlier time counts. */
export function secondsLeft({ expires_at, ends_at }: Pick<KeyEntry, 'expires_at' | 'ends_at'>, now: Date): number {
  const ends = [expires_at, ends_at].filter((at) => at !== null).map((at) => at.getTime() - now.getTime());
  return Math.floor(Math.min(Number.POSITIVE_INFINITY, ...ends) / 1000);
}

/** Caches a few answers: regular requests repeat themselves, those of attackers do not. */
function remembering<Answer>(
  most: number,
  ask: (text: string | undefined) => Answer,
): (text: string | undefined) => Answer {
  const known = new Map<string | undefined, Answer>();
  return (text) => {
    const before = known.get(text);
    if (before !== undefined) return before;
    const answer = ask(text);
    if (known.size < most && (text?.length ?? 0) <= longestRemembered) known.set(text, answer);
    return answer;
  };
}
