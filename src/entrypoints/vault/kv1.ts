import { deleteVersions, listFolder, readSecret, type SecretData, writeSecret } from '../../domain/secrets/index.ts';
import { answerWith, ignoreMissing, noContent, notThere, type VaultAnswer, VaultError } from './answers.ts';
import { secondsIn } from './fields.ts';
import { listed } from './listed.ts';
import type { Called, VaultDeps, VaultRoute } from './routing.ts';
import { folderOf, secretPathOf } from './secret-paths.ts';
import { secretBodyBytes } from './vault-request.ts';

const folder = 'kv/';
// Nothing expires with it: it only tells clients when to read again.
const leaseSeconds = 2_764_800;

/** KV version 1, at `kv/`: the current versions of the secrets in the folder `kv`. */
export const kv1Routes: readonly VaultRoute[] = [
  {
    path: /^kv(?:\/(.+))?$/,
    route: '/v1/kv',
    bodyBytes: secretBodyBytes,
    closed: { read, write, delete: deleteCurrent, list },
  },
];

async function read(deps: VaultDeps, { request, names, caller }: Called): Promise<VaultAnswer> {
  if (names[0] === undefined) throw notThere();
  const path = secretPathOf(names[0] ?? '', folder);
  const result = await readSecret(deps, caller, { path, number: undefined, reason: undefined });
  if (result.outcome !== 'read') throw notThere();
  return answerWith(request.request_id, { data: result.data, lease_duration: leaseOf(result.data) });
}

/** A part `ttl` or `lease` of a secret says when to read it again. */
function leaseOf({ ttl, lease }: SecretData): number {
  try {
    return secondsIn({ ttl: ttl ?? lease }, 'ttl') ?? leaseSeconds;
  } catch {
    return leaseSeconds;
  }
}

async function write(deps: VaultDeps, { names, body, caller }: Called): Promise<VaultAnswer> {
  if (Object.keys(body).length === 0) throw new VaultError(400, 'missing data fields');
  await writeSecret(deps, caller, { path: secretPathOf(names[0] ?? '', folder), data: body });
  return noContent;
}

async function deleteCurrent(deps: VaultDeps, { names, caller }: Called): Promise<VaultAnswer> {
  await deleteVersions(deps, caller, { path: secretPathOf(names[0] ?? '', folder) }).catch(ignoreMissing);
  return noContent;
}

async function list(deps: VaultDeps, { request, names, caller }: Called): Promise<VaultAnswer> {
  return listed(request, await listFolder(deps, caller, folderOf(names[0] ?? '', folder), { readable: true }));
}
