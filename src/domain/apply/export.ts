import type { Db } from '../../platform/database/index.ts';
import {
  type Assignment,
  type AssignmentEntry,
  assignmentEntryOf,
  listEveryAssignment,
  listRoles,
} from '../access/index.ts';
import { type ApiKey, type ConfiguredKey, listEveryKey } from '../api-keys/index.ts';
import { asInput as asClientInput, listEveryClient } from '../clients/index.ts';
import { asWebhookInput, listEveryWebhook, WebhookInput } from '../notifications/index.ts';
import { asInput as asResourceServerInput, listResourceServers } from '../resource-servers/index.ts';
import { asInput as asTrustInput, listEveryTrust } from '../trusts/index.ts';
import { asPolicyInput, findSignInPolicy, listUsers, type User } from '../users/index.ts';
import { withoutDemo } from './demo.ts';
import type { ConfigurationFile } from './schemas.ts';

/**
 * The installation as a file; applying it changes nothing. It contains no secrets, passwords and values of API keys, because only
 * their digests are stored; and not the demo app, keys of users, and expired keys and assignments.
 */
export async function exportConfiguration(db: Db, now: Date): Promise<Required<ConfigurationFile>> {
  const [everyServer, everyClient, everyUser, assignments] = await Promise.all([
    listResourceServers(db),
    listEveryClient(db),
    listUsers(db),
    listEveryAssignment(db, now),
  ]);
  const { servers, clients } = withoutDemo({ servers: everyServer, clients: everyClient });
  const rolesOf = Map.groupBy(assignments, ({ subject_id }) => subject_id);
  return {
    resource_servers: servers.map(asResourceServerInput),
    clients: clients.map(asClientInput),
    users: everyUser.map((user) => exportedUser(user, rolesOf.get(user.id) ?? [])),
    roles: await exportedRoles(db),
    role_assignments: exportedAssignments(assignments),
    api_keys: await exportedKeys(db, now),
    webhooks: (await listEveryWebhook(db)).map((webhook) => WebhookInput.parse(asWebhookInput(webhook))),
    trusts: (await listEveryTrust(db)).map(asTrustInput),
    sign_in_policy: asPolicyInput(await findSignInPolicy(db)),
  };
}

function exportedUser(
  { username, email, email_verified, name, enabled }: User,
  assignments: readonly Assignment[],
): ConfigurationFile['users'][number] {
  const roles = assignments.map(({ role }) => role);
  // A file with `false` would undo a verification by a link after the export.
  const verified = email_verified ? { email_verified } : {};
  return { username, ...(email && { email }), ...verified, ...(name && { name }), roles, enabled };
}

async function exportedRoles(db: Db): Promise<Required<ConfigurationFile>['roles']> {
  const roles = (await listRoles(db)).filter(({ built_in }) => !built_in);
  return roles.map(({ name, description, exported_as, permissions }) => ({
    name,
    ...(description !== null && { description }),
    ...(exported_as !== null && { exported_as }),
    permissions,
  }));
}

/** Users' permanent assignments are listed with the users; here only those with an expiry, and those of clients. */
function exportedAssignments(assignments: readonly Assignment[]): AssignmentEntry[] {
  return assignments
    .filter(({ until, subject_kind }) => until !== null || subject_kind === 'client')
    .map(assignmentEntryOf);
}

async function exportedKeys(db: Db, now: Date): Promise<ConfiguredKey[]> {
  const keys = (await listEveryKey(db)).filter(({ expires_at }) => !expires_at || expires_at > now);
  return keys.toReversed().map(exportedKey);
}

function exportedKey(key: ApiKey): ConfiguredKey {
  const { name, description, environment, owner, risk, permissions, roles, restrictions, tags, metadata, enabled } =
    key;
  return {
    name,
    ...(description !== null && { description }),
    owner: { client_id: owner },
    environment,
    risk,
    permissions,
    roles,
    restrictions,
    tags,
    metadata: metadata as ConfiguredKey['metadata'],
    enabled,
    ...(key.expires_at ? { expires_at: key.expires_at } : { never_expires: true as const }),
  };
}
