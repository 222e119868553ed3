import { listRoleAssignments } from '../access/index.ts';
import { type Client, listEveryClient } from '../clients/index.ts';
import type { Db } from '../platform/database/index.ts';
import { listResourceServers, type Permission, type ResourceServer } from '../resource-servers/index.ts';
import { listUsers, type User } from '../users/index.ts';
import { withoutDemo } from './demo.ts';
import type { ConfigurationFile } from './schemas.ts';

/**
 * The installation as a file that `applyConfiguration` takes and finds unchanged. Secrets and passwords are not in it: they are
 * stored only as digests. The demo app is not in it either.
 */
export async function exportConfiguration(db: Db): Promise<ConfigurationFile> {
  const [everyServer, everyClient, people] = await Promise.all([
    listResourceServers(db),
    listEveryClient(db),
    listUsers(db),
  ]);
  const { servers, clients } = withoutDemo({ servers: everyServer, clients: everyClient });
  const users = await Promise.all(people.map((user) => exportedUser(db, user)));
  return { resource_servers: servers.map(exportedResourceServer), clients: clients.map(exportedClient), users };
}

function exportedResourceServer(server: ResourceServer): ConfigurationFile['resource_servers'][number] {
  const { identifier, name, access_token_format, access_token_signing_alg, access_token_ttl_seconds } = server;
  const { assignment_required, dpop_required, enabled, permissions } = server;
  const tokens = {
    access_token_format,
    ...(access_token_signing_alg && { access_token_signing_alg: access_token_signing_alg as 'ES256' }),
    ...(access_token_ttl_seconds && { access_token_ttl_seconds }),
  };
  return {
    identifier,
    name,
    ...tokens,
    assignment_required,
    dpop_required,
    enabled,
    scopes: permissions.map(exportedScope),
  };
}

function exportedScope({ name, description, is_default, is_optional, is_sensitive }: Permission) {
  return {
    name,
    ...(description && { description }),
    default: is_default,
    optional: is_optional,
    sensitive: is_sensitive,
  };
}

function exportedClient(client: Client): ConfigurationFile['clients'][number] {
  const { client_id, metadata, first_party, enabled, resources, service_permissions, introspects, lifetimes } = client;
  return { client_id, ...metadata, first_party, enabled, resources, service_permissions, introspects, lifetimes };
}

async function exportedUser(
  db: Db,
  { id, username, email, name, enabled }: User,
): Promise<ConfigurationFile['users'][number]> {
  const roles = await listRoleAssignments(db, id);
  return { username, ...(email && { email }), ...(name && { name }), roles, enabled };
}
