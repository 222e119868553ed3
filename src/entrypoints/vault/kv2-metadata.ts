import type { ReadVersion, SecretRecord, SecretSettings, Version } from '../../domain/secrets/index.ts';
import { VaultError } from './answers.ts';
import { durationOf, type Fields, flagIn, numberIn, objectIn, signedSecondsIn } from './fields.ts';

/** Vault's description of a version, without its number. */
export function versionData({
  expires_at,
  deleted_at,
  destroyed_at,
}: Pick<ReadVersion, 'expires_at' | 'deleted_at' | 'destroyed_at'>) {
  const deletion_time = deleted_at ?? expires_at ?? '';
  return { deletion_time, destroyed: destroyed_at !== null };
}

/** A secret with its versions in the form of `metadata/`. */
export function metadataData({ secret, versions }: { secret: SecretRecord; versions: readonly Version[] }) {
  const { cas_required, created_at, current_version, custom_metadata, delete_after_seconds, max_versions } = secret;
  return {
    ...{ cas_required, created_time: created_at, current_version, max_versions },
    custom_metadata: Object.keys(custom_metadata).length > 0 ? custom_metadata : null,
    delete_version_after: durationOf(delete_after_seconds ?? 0),
    oldest_version: versions[0]?.number ?? 0,
    updated_time: secret.updated_at,
    versions: Object.fromEntries(
      versions.map((version) => [version.number, { created_time: version.created_at, ...versionData(version) }]),
    ),
  };
}

const mostVersions = 1000;
const mostLabels = 64;

type Settings = Partial<
  Pick<SecretSettings, 'max_versions' | 'cas_required' | 'delete_after_seconds' | 'custom_metadata'>
>;

/** The settings of a secret in a body. @param usual `max_versions` in place of 0 @throws VaultError 400 */
export function settingsIn(body: Fields, usual: number): Settings {
  const most = numberIn(body, 'max_versions');
  // Below 0 it turns deletion off.
  const seconds = signedSecondsIn(body, 'delete_version_after');
  const labels = objectIn(body, 'custom_metadata');
  const cas_required = flagIn(body, 'cas_required');
  if (most !== undefined && (most < 0 || most > mostVersions))
    throw new VaultError(400, `max_versions must be at most ${mostVersions}`);
  return {
    ...(most !== undefined && { max_versions: most || usual }),
    ...(cas_required !== undefined && { cas_required }),
    ...(seconds !== undefined && { delete_after_seconds: seconds <= 0 ? null : seconds }),
    ...(labels && { custom_metadata: labelsIn(labels) }),
  };
}

/** @throws VaultError 400 */
function labelsIn(given: Record<string, unknown>): Record<string, string> {
  const entries = Object.entries(given);
  if (entries.length > mostLabels) throw new VaultError(400, `custom_metadata can have at most ${mostLabels} members`);
  const isLabel = ([name, value]: [string, unknown]) =>
    name.length <= 128 && (value === null || (typeof value === 'string' && value.length <= 512));
  if (entries.every(isLabel)) return given as Record<string, string>;
  throw new VaultError(400, 'custom_metadata values must be strings of at most 512 characters');
}
