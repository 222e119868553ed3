import { type Asked, allowed, type KeyEntry, type KeyVerdict } from '../../domain/api-keys/index.ts';
import { identityOf } from './identity-headers.ts';
import type { Verdict } from './schemas.ts';

/**
 * The verdict on a key that has the permissions of a request, without its limits: as an object, as headers for proxies and as JSON
 * text. `number` is the version of the key.
 */
export type CachedVerdict = { verdict: Verdict; headers: readonly string[]; text: string; number: number };

/**
 * The verdicts on keys with the required permissions, created once for each key and API: they are valid until the key is read again. Stored
 * with the key's permissions at the API, which a node caches with the key (`compileKey`) and drops with it.
 */
const cached = {
  permitted: new WeakMap<readonly string[], CachedVerdict>(),
  authentic: new WeakMap<readonly string[], CachedVerdict>(),
};

/** The response for a key that is allowed to do what the request needs. */
export function cachedVerdict(entry: KeyEntry, { needs, resource }: Pick<Asked, 'needs' | 'resource'>): CachedVerdict {
  const permissions = entry.permissionsAt(resource);
  const verdicts = needs === undefined ? cached.authentic : cached.permitted;
  const known = verdicts.get(permissions);
  if (known) return known;
  const verdict = verdictOnKey({ ...allowed({ needs }), limits: [], entry }, resource);
  const made = { verdict, headers: identityOf(verdict).flat(), text: JSON.stringify(verdict), number: entry.number };
  verdicts.set(permissions, made);
  return made;
}

/** The facts about a key in the response. */
export function verdictOnKey(verdict: KeyVerdict, resource: string | undefined): Verdict {
  const { code, reason, missing, limits, entry, retry_after_seconds } = verdict;
  const said: Verdict = { valid: code === 'valid', code, reason, credential: 'api_key', limits: [...limits] };
  if (missing) said.missing = [...missing];
  if (retry_after_seconds !== undefined) said.retry_after_seconds = retry_after_seconds;
  if (!entry) return said;
  const { id, name, owner, environment, expires_at } = entry;
  const isPerson = owner.kind === 'user';
  const whose = { subject: isPerson ? owner.id : owner.name, subject_kind: owner.kind };
  const client = isPerson ? {} : { client_id: owner.name };
  const permissions = [...entry.permissionsAt(resource)];
  return { ...said, ...whose, ...client, key_id: id, name, environment, permissions, expires_at };
}
