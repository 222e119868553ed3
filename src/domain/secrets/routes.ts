import {
  checked,
  invalid,
  mergePatch,
  notFound,
  Problem,
  pageOf,
  pageWith,
  routesWith,
} from '../../platform/http/index.ts';
import type { ActorOfVersion } from '../audit/index.ts';
import { listConsumers } from './consumers.ts';
import type { SecretsDeps } from './deps.ts';
import { generated } from './generating.ts';
import { listAllowedSecrets } from './listing.ts';
import { readSecret } from './reading.ts';
import { callerOf, mustAllow, type SecretCaller } from './rights.ts';
import {
  ConsumersQuery,
  ConsumersView,
  ReadQuery,
  RollbackInput,
  SearchInput,
  SearchView,
  SecretDetail,
  SecretParams,
  SecretPatch,
  SecretSettings,
  SecretsQuery,
  SecretValue,
  SecretView,
  VersionInput,
  VersionParams,
  VersionsView,
  VersionView,
  WrittenView,
} from './schemas.ts';
import { findSecretsWith } from './searching.ts';
import { describeSecret, putSecretSettings, removeSecret, settingsOf, writeSecret } from './secrets.ts';
import type { SecretRecord } from './store.ts';
import { vaultRoutes } from './vault-routes.ts';
import { deleteVersions, destroyVersions, undeleteVersions } from './versions.ts';

const route = routesWith<SecretsDeps>();

/** Secrets and their versions, and the seal of the vault. */
export const secretRoutes = [
  route({
    method: 'GET',
    path: '/secrets',
    summary: 'List the secrets that you may list, without values',
    permission: 'latchkey:secret:list',
    query: SecretsQuery,
    response: pageOf(SecretView),
    handle: async ({ actor, query }, deps) =>
      pageWith(await listAllowedSecrets(deps, await callerOf(deps, actor), query), shown),
  }),
  route({
    method: 'POST',
    path: '/secret-searches',
    summary: 'Find the versions of secrets that have a given value, among those that you can read',
    permission: 'latchkey:secret:reveal',
    body: SearchInput,
    bodyOpaque: 'value',
    response: SearchView,
    handle: async ({ actor, body }, deps) => findSecretsWith(deps, await callerOf(deps, actor), body.value),
  }),
  route({
    method: 'GET',
    path: '/secrets/{path}',
    summary: 'Get a secret and its versions, without values',
    permission: 'latchkey:secret:list',
    params: SecretParams,
    response: SecretDetail,
    handle: async ({ actor, params }, deps) => detailOf(deps, await callerOf(deps, actor), params.path),
  }),
  route({
    method: 'PATCH',
    path: '/secrets/{path}',
    summary: 'Update the settings of a secret; creates the secret without a version if it does not exist',
    permission: 'latchkey:secret:write',
    params: SecretParams,
    body: SecretPatch,
    response: SecretView,
    handle: async ({ actor, params: { path }, body, ifVersion }, deps) => {
      const change = (before: SecretSettings) =>
        checked(SecretSettings, { ...unset, ...mergePatch(asSent(before), asSent(body)) });
      return shown(await putSecretSettings(deps, await callerOf(deps, actor), { path, change, ifVersion }));
    },
  }),
  route({
    method: 'DELETE',
    path: '/secrets/{path}',
    summary: 'Delete a secret with all of its versions, permanently',
    permission: 'latchkey:secret:destroy',
    params: SecretParams,
    handle: async ({ actor, params }, deps) => removeSecret(deps, await callerOf(deps, actor), params.path),
  }),
  route({
    method: 'GET',
    path: '/secrets/{path}/value',
    summary: 'Read the value of a secret; the read is recorded before the value is returned',
    // Not `read`: roles with `latchkey:*:read` see no values.
    permission: 'latchkey:secret:reveal',
    params: SecretParams,
    query: ReadQuery,
    response: SecretValue,
    handle: async ({ actor, params, query }, deps) =>
      valueIn(deps, await callerOf(deps, actor), { path: params.path, number: query.version, reason: query.reason }),
  }),
  route({
    method: 'GET',
    path: '/secrets/{path}/versions',
    summary: 'List the versions of a secret, without values',
    permission: 'latchkey:secret:list',
    params: SecretParams,
    response: VersionsView,
    handle: async ({ actor, params }, deps) => {
      const { versions } = await detailOf(deps, await callerOf(deps, actor), params.path);
      return { items: versions };
    },
  }),
  route({
    method: 'GET',
    path: '/secrets/{path}/consumers',
    summary: 'List the readers of a secret in the last days, by version',
    permission: 'latchkey:secret:list',
    params: SecretParams,
    query: ConsumersQuery,
    response: ConsumersView,
    handle: async ({ actor, params: { path }, query }, deps) => {
      const found = await listConsumers(deps, await callerOf(deps, actor), { path, ...query });
      return { items: found.items.map(shownConsumer), since: found.counted_from, is_partial: found.is_partial };
    },
  }),
  route({
    method: 'POST',
    path: '/secrets/{path}/versions',
    summary: 'Write a new version of a secret, given or generated; the first version creates the secret',
    permission: 'latchkey:secret:write',
    params: SecretParams,
    body: VersionInput,
    bodyBytes: 2 * 1024 * 1024,
    bodyOpaque: 'data',
    response: WrittenView,
    status: 201,
    handle: async ({ actor, params, body: { data, generate, ...options } }, deps) => {
      const caller = await callerOf(deps, actor);
      if (!data && !generate) throw invalid('/data', 'is required, unless parts are generated');
      await mustAllow(deps, caller, { verb: 'write', path: params.path });
      const made = await generated(data ?? {}, generate ?? {}, deps.now());
      const written = { path: params.path, data: made.data, generated: Object.keys(generate ?? {}), ...options };
      const { version } = await writeSecret(deps, caller, written);
      const isPublic = Object.keys(made.public).length > 0;
      return { ...version, ...(isPublic && { public: made.public }) };
    },
  }),
  route({
    method: 'POST',
    path: '/secrets/{path}/rollback',
    summary: 'Write the value of an earlier version as a new version',
    permission: 'latchkey:secret:write',
    params: SecretParams,
    body: RollbackInput,
    response: VersionView,
    status: 201,
    handle: async ({ actor, params: { path }, body }, deps) => {
      const caller = await callerOf(deps, actor);
      const { data, current_version: cas } = await valueIn(deps, caller, {
        ...{ path, number: body.version, reason: 'rollback' },
      });
      const { version } = await writeSecret(deps, caller, { path, data, cas });
      return version;
    },
  }),
  route({
    method: 'POST',
    path: '/secrets/{path}/versions/{number}/delete',
    summary: 'Delete a version; it can be undeleted',
    permission: 'latchkey:secret:delete',
    params: VersionParams,
    response: SecretDetail,
    handle: ({ actor, params }, deps) => changed(deps, actor, params, deleteVersions),
  }),
  route({
    method: 'POST',
    path: '/secrets/{path}/versions/{number}/undelete',
    summary: 'Make a deleted or expired version readable again',
    permission: 'latchkey:secret:delete',
    params: VersionParams,
    response: SecretDetail,
    handle: ({ actor, params }, deps) => changed(deps, actor, params, undeleteVersions),
  }),
  route({
    method: 'POST',
    path: '/secrets/{path}/versions/{number}/destroy',
    summary: 'Destroy a version permanently: its key is deleted',
    permission: 'latchkey:secret:destroy',
    params: VersionParams,
    response: SecretDetail,
    handle: ({ actor, params }, deps) => changed(deps, actor, params, destroyVersions),
  }),
  ...vaultRoutes,
];

/** A member that a patch removes is left out. */
const unset = {
  ...{ description: null, environment: null, risk: null, owner: null, delete_after_seconds: null },
  ...{ location: null, accessible_to: [], rotated_at: null },
};

/** Times as texts again, because the whole object is parsed once more. */
const asSent = ({ rotated_at, ...settings }: { rotated_at?: Date | null | undefined } & Record<string, unknown>) => ({
  ...settings,
  ...(rotated_at !== undefined && { rotated_at: rotated_at?.toISOString() ?? null }),
});

type Numbered = { path: string; number: number };

async function changed(
  deps: SecretsDeps,
  actor: Parameters<typeof callerOf>[1],
  { path, number }: Numbered,
  change: typeof deleteVersions,
) {
  const caller = await callerOf(deps, actor);
  // The response describes the secret. A caller who may not see that is refused before anything is changed.
  await mustAllow(deps, caller, { verb: 'list', path });
  await change(deps, caller, { path, numbers: [number] });
  return detailOf(deps, caller, path);
}

async function detailOf(deps: SecretsDeps, caller: SecretCaller, path: string) {
  const found = await describeSecret(deps, caller, path);
  if (!found) throw notFound('secret', path);
  return { ...shown(found.secret), versions: found.versions };
}

/** @throws Problem `not_found`; 410: it was deleted, has expired, or was destroyed */
async function valueIn(deps: SecretsDeps, caller: SecretCaller, request: Parameters<typeof readSecret>[2]) {
  const result = await readSecret(deps, caller, request);
  if (result.outcome === 'missing') {
    const { path, number } = request;
    throw number === undefined ? notFound('secret', path) : notFound('version', `${number} of ${path}`);
  }
  if (result.outcome !== 'read') throw gone(result.outcome, result.version);
  const { path, number, current_version, custom_metadata, created_at, expires_at } = result.version;
  return { path, number, current_version, data: result.data, custom_metadata, created_at, expires_at };
}

function gone(outcome: 'deleted' | 'destroyed', { path, number }: Numbered): Problem {
  const detail =
    outcome === 'deleted'
      ? `Version ${number} of "${path}" was deleted or has expired. It can be undeleted.`
      : `Version ${number} of "${path}" was destroyed.`;
  return new Problem(410, outcome, { title: 'Gone', detail });
}

function shown(secret: SecretRecord) {
  const { path, current_version, current_state, due_at, version, created_at, updated_at } = secret;
  return {
    ...settingsOf(secret),
    ...{ path, current_version, current_state, due_at, version, created_at, updated_at },
    imported: importedInto(secret),
  };
}

function importedInto({ imported_number: number, imported_created_at: created_at }: SecretRecord) {
  return number === null || created_at === null ? null : { number, created_at };
}

function shownConsumer(consumer: ActorOfVersion) {
  const { version, actor_kind: kind, actor_id: id, count: reads, count_24h: reads_24h, last_at, address } = consumer;
  return { version, kind, id, reads, reads_24h, last_read_at: last_at, address };
}
