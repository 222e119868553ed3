import { v7 as uuidv7 } from 'uuid';
import type { Trx } from '../../platform/database/index.ts';
import { invalid, mustBeAt, notFound, Problem } from '../../platform/http/index.ts';
import { findOwner } from '../access/index.ts';
import { appendEvent, changesBetween } from '../audit/index.ts';
import { secretDefaults } from './defaults.ts';
import type { SecretsDeps } from './deps.ts';
import { sealVersion } from './envelope.ts';
import type { Keyring } from './keyring.ts';
import { mustAllow, type SecretCaller } from './rights.ts';
import type { SecretSettings } from './schemas.ts';
import { insertDigests } from './search-store.ts';
import {
  deleteSecret,
  deleteVersionsUpTo,
  findSecret,
  insertVersion,
  listVersions,
  lockOrCreateSecret,
  lockSecret,
  type SecretRecord,
  type SecretRow,
  updateSecret,
  type Version,
} from './store.ts';
import { digestsOf, encoded, type SecretData } from './values.ts';

export type NewVersion = {
  path: string;
  data: SecretData;
  /** The version that the caller has read, 0: none; undefined: any. */
  cas?: number | undefined;
  /** How long the version can be read. */
  ttl_seconds?: number | undefined;
  /** The parts that were generated here. */
  generated?: readonly string[] | undefined;
  /** The version in another store that this one is a copy of. */
  imported?: ImportedVersion | undefined;
};

/** A version in another store, by its number and the time that it was created at, in the form of that store. */
export type ImportedVersion = { number: number; created_at: string };

/**
 * Writes a new version of a secret; the first creates it. Versions beyond `max_versions` are destroyed, the oldest first.
 *
 * @throws Problem `forbidden`; `sealed`; `invalid`; `version_conflict`: the caller has not read the current version;
 *   `version_required`: the secret is only written with `cas`
 */
export async function writeSecret(
  deps: SecretsDeps,
  caller: SecretCaller,
  input: NewVersion,
): Promise<{ secret: SecretRow; version: Version }> {
  await mustAllow(deps, caller, { verb: 'write', path: input.path });
  const value = encoded(input.data);
  return deps.vault.inOpenTransaction(deps.db, (trx, keyring) =>
    write(trx, deps, caller, { ...input, value, keyring }),
  );
}

async function write(
  trx: Trx,
  { keys, now }: SecretsDeps,
  { actor }: SecretCaller,
  input: NewVersion & { value: Buffer; keyring: Keyring },
) {
  const { path, data, cas, ttl_seconds, value, keyring, generated = [], imported } = input;
  const created_at = now();
  const { secret } = await lockOrCreate(trx, path, created_at);
  mustSeeCurrent(secret, cas);
  const number = secret.current_version + 1;
  const seconds = ttl_seconds ?? secret.delete_after_seconds;
  const expires_at = seconds === null ? null : new Date(created_at.getTime() + seconds * 1000);
  const version = await insertVersion(trx, {
    ...{ secret_id: secret.id, number, size: value.length, created_at, expires_at },
    ...sealVersion(keyring.current, { secret_id: secret.id, path, number }, value),
    ...{ created_by_kind: actor.kind, created_by_id: actor.id ?? null },
  });
  value.fill(0);
  // In the same transaction, so that an import that was interrupted continues after this version.
  const progress = imported && { imported_number: imported.number, imported_created_at: imported.created_at };
  const updated = await updateSecret(trx, secret.id, { current_version: number, updated_at: created_at, ...progress });
  const dropped = await deleteVersionsUpTo(trx, secret.id, number - secret.max_versions);
  const values = digestsOf(keys.current('secret').key, data);
  await insertDigests(trx, { secret_id: secret.id, number }, values);
  const origin = { ...(generated.length > 0 && { generated }), ...(imported && { imported }) };
  const details = { version: number, values, ...origin, ...(dropped.length > 0 && { destroyed: dropped }) };
  const target = { kind: 'secret', id: path };
  await appendEvent(trx, { actor, action: 'secret.written', target, details, occurred_at: created_at });
  return { secret: updated, version };
}

async function lockOrCreate(trx: Trx, path: string, at: Date): Promise<{ secret: SecretRow; isNew: boolean }> {
  const existing = await lockSecret(trx, path);
  if (existing) return { secret: existing, isNew: false };
  const times = { created_at: at, updated_at: at };
  return lockOrCreateSecret(trx, {
    id: uuidv7(),
    path,
    custom_metadata: '{}',
    ...(await secretDefaults(trx)),
    ...times,
  });
}

function mustSeeCurrent({ path, current_version, cas_required }: SecretRow, cas: number | undefined): void {
  if (cas === undefined && cas_required) {
    const detail = `"${path}" is only written with the number of its current version: send "cas".`;
    throw new Problem(400, 'version_required', { title: 'Version required', detail, pointer: '/cas' });
  }
  if (cas === undefined || cas === current_version) return;
  const detail = `The current version of "${path}" is ${current_version}, not ${cas}. Read it again, and repeat the request.`;
  throw new Problem(409, 'version_conflict', { title: 'Conflict', detail, members: { current_version } });
}

export type SettingsChange = {
  path: string;
  change: (before: SecretSettings) => SecretSettings;
  ifVersion?: number | undefined;
};

/**
 * Updates the settings of a secret; creates it without a version if it does not exist.
 *
 * @throws Problem `forbidden`; `sealed`; `invalid`: there is no such owner; `precondition_failed`
 */
export async function putSecretSettings(
  deps: SecretsDeps,
  caller: SecretCaller,
  { path, change, ifVersion }: SettingsChange,
): Promise<SecretRecord> {
  await mustAllow(deps, caller, { verb: 'write', path });
  return deps.vault.inOpenTransaction(deps.db, async (trx) => {
    const updated_at = deps.now();
    const { secret, isNew } = await lockOrCreate(trx, path, updated_at);
    if (!isNew) mustBeAt(secret.version, ifVersion);
    const before = await getRecord(trx, path, updated_at);
    const { owner, custom_metadata, accessible_to, ...plain } = change(settingsOf(before));
    const owner_id = await ownerId(trx, owner);
    const texts = { custom_metadata: JSON.stringify(custom_metadata), accessible_to: JSON.stringify(accessible_to) };
    const stored = { ...texts, owner_id, updated_at };
    await updateSecret(trx, secret.id, { ...plain, ...stored });
    const after = await getRecord(trx, path, updated_at);
    const target = { kind: 'secret', id: path };
    const details = { changed: changesBetween(settingsOf(before), settingsOf(after)) };
    await appendEvent(trx, { actor: caller.actor, action: 'secret.updated', target, details, occurred_at: updated_at });
    return after;
  });
}

async function ownerId(trx: Trx, owner: SecretSettings['owner']): Promise<string | null> {
  if (owner === null) return null;
  const id = await findOwner(trx, owner);
  if (id === undefined) throw invalid('/owner', 'There is no such user or client.');
  return id;
}

/** The settings of a secret that can be changed. */
export function settingsOf(secret: SecretRecord): SecretSettings {
  const { description, environment, risk, owner, custom_metadata, max_versions, cas_required } = secret;
  const { delete_after_seconds, location, accessible_to, rotated_at } = secret;
  return {
    ...{ description, environment, risk, owner, custom_metadata, max_versions, cas_required, delete_after_seconds },
    ...{ location, accessible_to, rotated_at },
  };
}

async function getRecord(trx: Trx, path: string, now: Date): Promise<SecretRecord> {
  const secret = await findSecret(trx, path, now);
  if (!secret) throw notFound('secret', path);
  return secret;
}

/**
 * A secret with all of its versions, without values. The access is recorded.
 *
 * @returns undefined: there is none
 * @throws Problem `forbidden`; `sealed`
 */
export async function describeSecret(
  deps: SecretsDeps,
  caller: SecretCaller,
  path: string,
): Promise<{ secret: SecretRecord; versions: Version[] } | undefined> {
  await mustAllow(deps, caller, { verb: 'list', path });
  return deps.vault.inOpenTransaction(deps.db, async (trx) => {
    const occurred_at = deps.now();
    const secret = await findSecret(trx, path, occurred_at);
    if (!secret) return undefined;
    const versions = await listVersions(trx, secret.id, occurred_at);
    const target = { kind: 'secret', id: path };
    await appendEvent(trx, { actor: caller.actor, action: 'secret.described', target, occurred_at });
    return { secret, versions };
  });
}

/**
 * Deletes a secret with all of its versions, whose values cannot be recovered. Repeating it changes nothing.
 *
 * @throws Problem `forbidden`; `sealed`; `not_found`
 */
export async function removeSecret(deps: SecretsDeps, caller: SecretCaller, path: string): Promise<void> {
  await mustAllow(deps, caller, { verb: 'destroy', path });
  await deps.vault.inOpenTransaction(deps.db, async (trx) => {
    const secret = await lockSecret(trx, path);
    if (!secret) throw notFound('secret', path);
    await deleteSecret(trx, secret.id);
    const target = { kind: 'secret', id: path };
    const details = { current_version: secret.current_version };
    await appendEvent(trx, {
      actor: caller.actor,
      action: 'secret.removed',
      target,
      details,
      occurred_at: deps.now(),
    });
  });
}
