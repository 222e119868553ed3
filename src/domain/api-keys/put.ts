import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { type Actor, conflict, patchReplacing } from '../../platform/http/index.ts';
import { subjectOf } from '../access/index.ts';
import { type ApiKeyDeps, asChanges, changeApiKey, createApiKey, getKey } from './api-keys.ts';
import { disableApiKey, enableApiKey } from './ending.ts';
import { stateOf } from './expiry.ts';
import { listEveryKey } from './list-store.ts';
import { changeable, expiry, KeyChanges, KeyEnvironment, KeyOwner, saysOneExpiry } from './schemas.ts';
import type { ApiKey } from './store.ts';

/** A key in a configuration file: owner, environment and name identify it. Its value is generated once and never stored. */
export const ConfiguredKey = z
  .strictObject({
    ...changeable,
    ...expiry,
    owner: KeyOwner,
    environment: KeyEnvironment,
    enabled: z.boolean().default(true),
  })
  .refine(saysOneExpiry, { path: ['expires_at'], error: 'must not come with another expiry' });
export type ConfiguredKey = z.output<typeof ConfiguredKey>;

export type PutKey = { change: 'created' | 'updated' | 'unchanged'; key?: string };

/**
 * Creates a key, or updates the one with this owner, environment and name. Its value does not change, nor does its expiry
 * unless the entry sets one.
 *
 * @returns the value of a new key; shown once, only a digest is stored
 * @throws Problem `conflict`: several keys have this owner, environment and name; otherwise as `createApiKey`, `changeApiKey`
 */
export async function putKey(deps: ApiKeyDeps, actor: Actor, entry: ConfiguredKey): Promise<PutKey> {
  const { enabled, ...input } = entry;
  const existing = await findNamed(deps, entry);
  if (!existing) {
    const { id, key } = await createApiKey(deps, actor, input);
    if (!enabled) await disableApiKey(deps, actor, { id });
    return { change: 'created', key };
  }
  const { id } = existing;
  const patch = patchOf(existing, entry);
  if (Object.keys(patch).length > 0) await changeApiKey(deps, actor, { id, patch, ifVersion: undefined });
  if (existing.enabled !== enabled) await (enabled ? enableApiKey : disableApiKey)(deps, actor, { id });
  const isChanged = existing.enabled !== enabled || Object.keys(patch).length > 0;
  return { change: isChanged ? 'updated' : 'unchanged' };
}

async function findNamed(deps: ApiKeyDeps, { owner, environment, name }: ConfiguredKey): Promise<ApiKey | undefined> {
  const owner_id = await subjectOf(deps.db, owner);
  const keys = (await listEveryKey(deps.db, owner_id)).filter(
    (key) => key.environment === environment && key.name === name && key.revoked_at === null,
  );
  const live = keys.filter((key) => stateOf(key, deps.now()) !== 'expired');
  const [first, second] = live.length > 0 ? live : keys.slice(0, 1);
  if (second)
    throw conflict(
      `This owner has several API keys named "${name}" in "${environment}": rename or revoke all but one.`,
    );
  // With its roles and tags.
  return first && getKey(deps.db, { id: first.id });
}

/** The differences between a key and the entry, as a merge patch. */
function patchOf(existing: ApiKey, entry: ConfiguredKey): Record<string, unknown> {
  const before = asChanges(existing);
  const { owner: _, environment: __, enabled: ___, expires_in_days: ____, never_expires, expires_at, ...said } = entry;
  const wanted = {
    ...said,
    description: entry.description ?? null,
    ...(expires_at && { expires_at: expires_at.toISOString() }),
    ...(never_expires && { expires_at: null }),
  };
  const differs = ([member, value]: [string, unknown]) =>
    !isDeepStrictEqual(comparable(before[member]), comparable(value));
  const { success } = KeyChanges.safeParse(before);
  const changed = Object.entries(wanted).filter(differs);
  // A merge patch would add to objects that are to be replaced.
  return Object.fromEntries(
    changed.flatMap(([member, value]) =>
      success ? [[member, patchReplacing(before[member], value)]] : [[member, value]],
    ),
  );
}

const comparable = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map((each) => JSON.stringify(each)).sort();
  return value === undefined ? null : JSON.parse(JSON.stringify(value));
};
