import type { Db } from '../../platform/database/index.ts';
import { listRoleAssignments } from '../access/index.ts';
import { asInput as asClientInput, listEveryClient } from '../clients/index.ts';
import { asInput as asResourceServerInput, listResourceServers } from '../resource-servers/index.ts';
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
  return { resource_servers: servers.map(asResourceServerInput), clients: clients.map(asClientInput), users };
}

async function exportedUser(
  db: Db,
  { id, username, email, email_verified, name, enabled }: User,
): Promise<ConfigurationFile['users'][number]> {
  const roles = await listRoleAssignments(db, id);
  // A file that says `false` would take back what a link proves after the export.
  const verified = email_verified ? { email_verified } : {};
  return { username, ...(email && { email }), ...verified, ...(name && { name }), roles, enabled };
}
