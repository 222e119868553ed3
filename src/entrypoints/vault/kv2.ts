import {
  deleteVersions,
  describeSecret,
  destroyVersions,
  listFolder,
  mustAllow,
  permissionFor,
  putSecretSettings,
  type ReadVersion,
  readSecret,
  removeSecret,
  type SecretData,
  secretDefaults,
  undeleteVersions,
  writeSecret,
} from '../../domain/secrets/index.ts';
import { isJsonObject, mergePatch } from '../../platform/http/index.ts';
import { answerWith, ignoreMissing, noContent, notThere, type VaultAnswer, VaultError } from './answers.ts';
import { vaultCallerOf } from './callers.ts';
import { numberIn, objectIn, secondsIn, versionsIn } from './fields.ts';
import { readConfig, writeConfig } from './kv2-config.ts';
import { metadataData, settingsIn, versionData } from './kv2-metadata.ts';
import { listed } from './listed.ts';
import type { Called, VaultDeps, VaultRoute } from './routing.ts';
import { folderOf, secretPathOf } from './secret-paths.ts';
import { secretBodyBytes } from './vault-request.ts';

/** KV version 2, at `secret/`. */
export const kv2Routes: readonly VaultRoute[] = [
  {
    path: /^secret\/data\/(.+)$/,
    route: '/v1/secret/data',
    bodyBytes: secretBodyBytes,
    closed: { read, write, patch, delete: deleteCurrent },
  },
  { path: /^secret\/delete\/(.+)$/, route: '/v1/secret/delete', closed: { write: changing(deleteVersions) } },
  { path: /^secret\/undelete\/(.+)$/, route: '/v1/secret/undelete', closed: { write: changing(undeleteVersions) } },
  { path: /^secret\/destroy\/(.+)$/, route: '/v1/secret/destroy', closed: { write: changing(destroyVersions) } },
  { path: /^secret\/subkeys\/(.+)$/, route: '/v1/secret/subkeys', closed: { read: readSubkeys } },
  { path: /^secret\/config$/, route: '/v1/secret/config', closed: { read: readConfig, write: writeConfig } },
  {
    path: /^secret\/metadata(?:\/(.+))?$/,
    route: '/v1/secret/metadata',
    closed: { read: readMetadata, write: writeMetadata, patch: patchMetadata, delete: remove, list },
  },
  { path: /^secret(?:\/.*)?$/, route: '/v1/secret', closed: everyOperation(invalidPath) },
];

async function read(deps: VaultDeps, asked: Called): Promise<VaultAnswer> {
  return asked.request.query.has('wait') ? readOnceChanged(deps, asked) : readNow(deps, asked);
}

const longestWait = 30;

/**
 * Waits for a version after the one that the caller has, and reads it. The caller's permissions and token are checked again from time to
 * time, and before the response: both may have changed meanwhile. Without a new version: 204.
 */
async function readOnceChanged(deps: VaultDeps, asked: Called): Promise<VaultAnswer> {
  const { request, names, caller } = asked;
  const path = secretPathOf(names[0] ?? '');
  const after = numberIn({ after: request.query.get('after') }, 'after') ?? 0;
  const seconds = secondsIn({ wait: request.query.get('wait') }, 'wait') ?? 0;
  if (seconds < 0 || seconds > longestWait) throw new VaultError(400, `wait is 0 to ${longestWait} seconds`);
  await mustAllow(deps, caller, { verb: 'read', path });
  const isGone = () => request.isEnding;
  const judge = async () => mustAllow(deps, await vaultCallerOf(deps, request), { verb: 'read', path });
  const by = caller.actor.subject_id ?? caller.actor.id ?? '';
  if (!(await deps.secretChanges.wait({ path, after, seconds, by, isGone, judge }))) return noContent;
  return readNow(deps, { ...asked, caller: await vaultCallerOf(deps, request) });
}

async function readNow(deps: VaultDeps, { request, names, caller }: Called): Promise<VaultAnswer> {
  const path = secretPathOf(names[0] ?? '');
  const number = numberIn({ version: request.query.get('version') }, 'version') || undefined;
  const result = await readSecret(deps, caller, { path, number, reason: undefined });
  if (result.outcome !== 'read') return notReadable(request, result);
  return answerWith(request.request_id, { data: { data: result.data, metadata: versionMetadata(result.version) } });
}

type NotRead = Exclude<Awaited<ReturnType<typeof readSecret>>, { outcome: 'read' }>;

/** For a deleted version, clients read that there was one. @throws VaultError 404 */
function notReadable({ request_id }: Called['request'], result: NotRead, member = 'data'): VaultAnswer {
  if (result.outcome === 'missing') throw notThere();
  return answerWith(request_id, { data: { [member]: null, metadata: versionMetadata(result.version) } }, 404);
}

/** The names of a value's parts, and of their nested members, without values. It is recorded like any read. */
async function readSubkeys(deps: VaultDeps, { request, names, caller }: Called): Promise<VaultAnswer> {
  const path = secretPathOf(names[0] ?? '');
  const number = numberIn({ version: request.query.get('version') }, 'version') || undefined;
  const depth = numberIn({ depth: request.query.get('depth') }, 'depth') || Number.POSITIVE_INFINITY;
  const result = await readSecret(deps, caller, { path, number, reason: 'subkeys' });
  if (result.outcome !== 'read') return notReadable(request, result, 'subkeys');
  const metadata = versionMetadata(result.version);
  return answerWith(request.request_id, { data: { metadata, subkeys: keysWithin(result.data, depth) } });
}

function keysWithin(value: unknown, depth: number): Record<string, unknown> | null {
  if (!isJsonObject(value) || depth <= 0) return null;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, keysWithin(part, depth - 1)]));
}

function versionMetadata({ created_at, custom_metadata, number, ...version }: ReadVersion) {
  const labels = Object.keys(custom_metadata).length > 0 ? custom_metadata : null;
  return { created_time: created_at, custom_metadata: labels, ...versionData(version), version: number };
}

async function write(deps: VaultDeps, { request, names, body, caller }: Called): Promise<VaultAnswer> {
  const data = objectIn(body, 'data');
  if (!data) throw new VaultError(400, 'no data provided');
  const cas = numberIn(objectIn(body, 'options') ?? {}, 'cas');
  return written(deps, { request, caller, path: secretPathOf(names[0] ?? ''), data, cas });
}

type Written = Pick<Called, 'request' | 'caller'> & { path: string; data: SecretData; cas: number | undefined };

async function written(deps: VaultDeps, { request, caller, ...input }: Written): Promise<VaultAnswer> {
  const { secret, version } = await writeSecret(deps, caller, input);
  const { custom_metadata } = secret;
  return answerWith(request.request_id, { data: versionMetadata({ ...secret, ...version, custom_metadata }) });
}

/** A patch needs the permission to write. The server merges, so that the caller does not see the present value. */
async function patch(deps: VaultDeps, { request, names, body, caller }: Called): Promise<VaultAnswer> {
  const path = secretPathOf(names[0] ?? '');
  const change = objectIn(body, 'data');
  if (!change) throw new VaultError(400, 'no data provided');
  const cas = numberIn(objectIn(body, 'options') ?? {}, 'cas');
  const reading = { ...caller, rights: [...caller.rights, permissionFor('read', path)] };
  await mustAllow(deps, caller, { verb: 'write', path });
  const result = await readSecret(deps, reading, { path, number: undefined, reason: 'patch' });
  if (result.outcome !== 'read') return notReadable(request, result);
  const data = mergePatch(result.data, change);
  return written(deps, { request, caller, path, data, cas: cas ?? result.version.number });
}

async function deleteCurrent(deps: VaultDeps, { names, caller }: Called): Promise<VaultAnswer> {
  await deleteVersions(deps, caller, { path: secretPathOf(names[0] ?? '') }).catch(ignoreMissing);
  return noContent;
}

function changing(change: typeof deleteVersions) {
  return async (deps: VaultDeps, { names, body, caller }: Called): Promise<VaultAnswer> => {
    const path = secretPathOf(names[0] ?? '');
    await change(deps, caller, { path, numbers: versionsIn(body) }).catch(ignoreMissing);
    return noContent;
  };
}

async function readMetadata(deps: VaultDeps, { request, names, caller }: Called): Promise<VaultAnswer> {
  if (names[0] === undefined) throw notThere();
  const found = await describeSecret(deps, caller, secretPathOf(names[0] ?? ''));
  if (!found) throw notThere();
  return answerWith(request.request_id, { data: metadataData(found) });
}

async function writeMetadata(deps: VaultDeps, { names, body, caller }: Called): Promise<VaultAnswer> {
  const { custom_metadata, ...given } = settingsIn(body, (await secretDefaults(deps.db)).max_versions);
  const labels = custom_metadata && { custom_metadata: mergePatch({}, custom_metadata) as Record<string, string> };
  await putSecretSettings(deps, caller, {
    path: secretPathOf(names[0] ?? ''),
    change: (before) => ({ ...before, ...given, ...labels }),
  });
  return noContent;
}

async function patchMetadata(deps: VaultDeps, { names, body, caller }: Called): Promise<VaultAnswer> {
  const { custom_metadata, ...given } = settingsIn(body, (await secretDefaults(deps.db)).max_versions);
  const path = secretPathOf(names[0] ?? '');
  if (!(await describeSecret(deps, caller, path))) throw notThere();
  await putSecretSettings(deps, caller, {
    path,
    change: (before) => ({
      ...{ ...before, ...given },
      custom_metadata: mergePatch(before.custom_metadata, custom_metadata ?? {}) as Record<string, string>,
    }),
  });
  return noContent;
}

async function remove(deps: VaultDeps, { names, caller }: Called): Promise<VaultAnswer> {
  await removeSecret(deps, caller, secretPathOf(names[0] ?? '')).catch(ignoreMissing);
  return noContent;
}

async function list(deps: VaultDeps, { request, names, caller }: Called): Promise<VaultAnswer> {
  return listed(request, await listFolder(deps, caller, folderOf(names[0] ?? '')));
}

const verbs: Readonly<Record<string, string>> = {
  read: 'get',
  write: 'put',
  patch: 'patch',
  delete: 'delete',
  list: 'list',
};

/** A request of a client that takes the mount for version 1. */
async function invalidPath(_: VaultDeps, { request }: Called): Promise<VaultAnswer> {
  const warning = `Invalid path for a versioned K/V secrets engine. See the API docs for the appropriate API endpoints to use. If using the Vault CLI, use 'vault kv ${verbs[request.operation]}' for this operation.`;
  return answerWith(request.request_id, { warnings: [warning] }, 404);
}

function everyOperation(handler: (deps: VaultDeps, asked: Called) => Promise<VaultAnswer>) {
  return { read: handler, write: handler, patch: handler, delete: handler, list: handler };
}
