import type { Db } from '../../platform/database/index.ts';
import { type Actor, notFound } from '../../platform/http/index.ts';
import {
  type Assignment,
  type AssignmentEntry,
  assignmentEntryOf,
  findOwner,
  listEveryAssignment,
  listRoles,
  removeAssignment,
  removeRole,
} from '../access/index.ts';
import { type ConfiguredKey, disableApiKey, listEveryKey, stateOf } from '../api-keys/index.ts';
import { disableClient, listEveryClient } from '../clients/index.ts';
import { changeWebhook, listEveryWebhook } from '../notifications/index.ts';
import { disableResourceServer, listResourceServers } from '../resource-servers/index.ts';
import { countLiveTokens, type LiveTokens } from '../tokens/index.ts';
import { disableTrust, listEveryTrust } from '../trusts/index.ts';
import { disableUser, findUserByUsername, listUsers } from '../users/index.ts';
import { type ApplyDeps, type Change, nameOfAssignment, nameOfKey, nameOfWebhook } from './apply.ts';
import { withoutDemo } from './demo.ts';
import type { ConfigurationFile } from './schemas.ts';

/** An active record that the file does not name, with the number of live credentials that pruning it would revoke. */
export type Prunable = Pick<Change, 'kind' | 'id'> &
  LiveTokens & {
    /** What identifies it apart from its name. */
    of?: { key_id: string } | { webhook_id: string } | { trust_id: string } | { assignment: AssignmentEntry };
  };

/**
 * What pruning would disable, or delete in the case of roles and assignments. The demo app is never pruned: no exported file
 * contains it.
 */
export async function listPrunable({ db, now }: ApplyDeps, file: ConfigurationFile): Promise<Prunable[]> {
  const registered = withoutDemo({ servers: await listResourceServers(db), clients: await listEveryClient(db) });
  const servers = registered.servers
    .filter(({ enabled }) => enabled)
    .map(({ identifier }) => ({ id: identifier, of: { audience: identifier } }));
  const clients = registered.clients
    .filter(({ enabled }) => enabled)
    .map(({ client_id, id }) => ({ id: client_id, of: { client_id: id } }));
  const users = (await listUsers(db))
    .filter(({ enabled }) => enabled)
    .map(({ username, id }) => ({ id: username, of: { user_id: id } }));
  const unnamed = [
    ...without(
      servers,
      file.resource_servers.map(({ identifier }) => identifier),
    ).map((each) => ({ kind: 'resource server' as const, ...each })),
    // A client_id is case-sensitive: "Billing" and "billing" are two clients.
    ...clients
      .filter(({ id }) => !file.clients.some(({ client_id }) => client_id === id))
      .map((each) => ({ kind: 'client' as const, ...each })),
    ...without(
      users,
      file.users.map(({ username }) => username),
    ).map((each) => ({ kind: 'user' as const, ...each })),
  ];
  const counted = await Promise.all(
    unnamed.map(async ({ kind, id, of }) => ({ kind, id, ...(await countLiveTokens(db, of, now())) })),
  );
  return [...(await unnamedInLists(db, file, now())), ...counted];
}

const noTokens: LiveTokens = { refresh_families: 0, access_tokens: 0 };

/** The optional lists of a file: without a list, nothing of its kind is pruned. */
async function unnamedInLists(db: Db, file: ConfigurationFile, now: Date): Promise<Prunable[]> {
  const { roles, role_assignments, api_keys, webhooks, trusts } = file;
  const assignments = role_assignments ? await unnamedAssignments(db, { ...file, role_assignments }, now) : [];
  const keys = api_keys ? await unnamedKeys(db, api_keys, now) : [];
  const receivers = webhooks
    ? (await listEveryWebhook(db)).filter(({ enabled, url }) => enabled && !webhooks.some((each) => each.url === url))
    : [];
  const believed = trusts
    ? without(
        (await listEveryTrust(db)).filter(({ enabled }) => enabled).map(({ id, name }) => ({ id: name, trust_id: id })),
        trusts.map(({ name }) => name),
      )
    : [];
  const unused = roles
    ? (await listRoles(db)).filter(({ built_in, name }) => !built_in && !roles.some((role) => role.name === name))
    : [];
  return [
    ...assignments,
    ...keys,
    ...receivers.map(({ id, url }) => ({
      kind: 'webhook' as const,
      id: nameOfWebhook({ url }),
      ...noTokens,
      of: { webhook_id: id },
    })),
    ...believed.map(({ id, trust_id }) => ({ kind: 'trust' as const, id, ...noTokens, of: { trust_id } })),
    ...unused.map(({ name }) => ({ kind: 'role' as const, id: name, ...noTokens })),
  ];
}

/** The `roles` of an entry in `users` count as named assignments. */
async function unnamedAssignments(
  db: Db,
  { users, role_assignments: named }: ConfigurationFile & { role_assignments: readonly AssignmentEntry[] },
  now: Date,
): Promise<Prunable[]> {
  const subjects = await Promise.all(named.map(async ({ role, to }) => `${role} ${await findOwner(db, to)}`));
  const byUser = new Map(users.map(({ username, roles }) => [username.toLowerCase(), roles]));
  const isNamed = ({ role, subject, subject_kind, subject_id }: Assignment) =>
    subjects.includes(`${role} ${subject_id}`) ||
    (subject_kind === 'user' && byUser.get(subject.toLowerCase())?.includes(role) === true);
  const unnamed = (await listEveryAssignment(db, now)).filter((each) => !isNamed(each));
  return unnamed.map((each) => {
    const assignment = assignmentEntryOf(each);
    return { kind: 'role assignment' as const, id: nameOfAssignment(assignment), ...noTokens, of: { assignment } };
  });
}

/** Keys of clients only: users manage their own keys. */
async function unnamedKeys(db: Db, named: readonly ConfiguredKey[], now: Date): Promise<Prunable[]> {
  const names = new Set(named.map(nameOfKey));
  const keys = (await listEveryKey(db)).filter((key) => stateOf(key, now) === 'active');
  return keys
    .map((key) => ({ id: nameOfKey({ ...key, owner: { client_id: key.owner } }), key_id: key.id }))
    .filter(({ id }) => !names.has(id))
    .map(({ id, key_id }) => ({ kind: 'API key' as const, id, ...noTokens, of: { key_id } }));
}

function without<T extends { id: string }>(present: T[], named: string[]): T[] {
  const names = new Set(named.map((name) => name.toLowerCase()));
  return present.filter(({ id }) => !names.has(id.toLowerCase()));
}

/**
 * Disables what the file does not name, one record after another. If a later one is refused, the earlier ones stay disabled.
 *
 * @throws Problem `conflict`: no administrator would be left
 */
export async function pruneConfiguration(deps: ApplyDeps, actor: Actor, prunable: readonly Prunable[]): Promise<void> {
  for (const each of prunable) await prune(deps, actor, each);
}

async function prune(deps: ApplyDeps, actor: Actor, { kind, id, of }: Prunable): Promise<unknown> {
  if (of && 'key_id' in of) return disableApiKey(deps, actor, { id: of.key_id });
  if (of && 'webhook_id' in of)
    return changeWebhook(deps, actor, { id: of.webhook_id, patch: { enabled: false }, ifVersion: undefined });
  if (of && 'trust_id' in of) return disableTrust(deps, actor, of.trust_id);
  if (of && 'assignment' in of) return removeAssignment(deps, actor, of.assignment);
  if (kind === 'resource server') return disableResourceServer(deps, actor, id);
  if (kind === 'client') return disableClient(deps, actor, id);
  if (kind === 'user') return disableUserNamed(deps, actor, id);
  return removeRole(deps, actor, id);
}

async function disableUserNamed(deps: ApplyDeps, actor: Actor, username: string): Promise<void> {
  const user = await findUserByUsername(deps.db, username);
  if (!user) throw notFound('user', username);
  await disableUser(deps, actor, user.id);
}
