import { defaultSettings } from '../../domain/secrets/index.ts';
import { answerWith, noContent, type VaultAnswer, VaultError } from './answers.ts';
import { flagIn, numberIn, secondsIn } from './fields.ts';
import type { Called, VaultDeps } from './routing.ts';

const { max_versions, cas_required } = defaultSettings;

/** The default settings of secrets. */
export async function readConfig(_: VaultDeps, { request }: Called): Promise<VaultAnswer> {
  return answerWith(request.request_id, { data: { cas_required, delete_version_after: '0s', max_versions } });
}

/** It is constant: a client that writes the same values succeeds. @throws VaultError 400 */
export async function writeConfig(_: VaultDeps, { body }: Called): Promise<VaultAnswer> {
  const most = numberIn(body, 'max_versions') || max_versions;
  const isCasRequired = flagIn(body, 'cas_required') ?? cas_required;
  const seconds = secondsIn(body, 'delete_version_after') ?? 0;
  if (most === max_versions && isCasRequired === cas_required && seconds === 0) return noContent;
  throw new VaultError(400, 'secret/ has no settings for all secrets: write those of one at secret/metadata/PATH');
}
