import { contains } from '../../domain/access/index.ts';
import { changeSecretDefaults, secretDefaults, usualVersions } from '../../domain/secrets/index.ts';
import { answerWith, noContent, permissionDenied, type VaultAnswer } from './answers.ts';
import { durationOf } from './fields.ts';
import { settingsIn } from './kv2-metadata.ts';
import type { Called, VaultDeps } from './routing.ts';

/** The settings of secrets that are created without any. */
export async function readConfig({ db }: VaultDeps, { request }: Called): Promise<VaultAnswer> {
  const { cas_required, delete_after_seconds, max_versions } = await secretDefaults(db);
  const delete_version_after = durationOf(delete_after_seconds ?? 0);
  return answerWith(request.request_id, { data: { cas_required, delete_version_after, max_versions } });
}

/** They concern every path. @throws VaultError 403, 400 */
export async function writeConfig(deps: VaultDeps, { body, caller }: Called): Promise<VaultAnswer> {
  if (!contains(caller.rights, ['secrets:write:*'])) throw permissionDenied();
  const { max_versions, cas_required, delete_after_seconds } = settingsIn(body, usualVersions);
  await changeSecretDefaults(deps, caller.actor, (before) => ({
    max_versions: max_versions ?? before.max_versions,
    cas_required: cas_required ?? before.cas_required,
    delete_after_seconds: delete_after_seconds === undefined ? before.delete_after_seconds : delete_after_seconds,
  }));
  return noContent;
}
