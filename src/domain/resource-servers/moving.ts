import type { Db, Trx } from '../../platform/database/index.ts';
import type { Actor } from '../../platform/http/index.ts';
import { appendEvent } from '../audit/index.ts';
import { renameInClients, renameInPermissions } from './moving-store.ts';
import type { ResourceServerDeps } from './resource-servers.ts';
import {
  deleteResourceServer,
  findResourceServer,
  listBuiltInIdentifiers,
  lockResourceServer,
  updateResourceServer,
} from './store.ts';

/**
 * Gives a resource server another identifier, and changes it wherever clients, roles and keys name it. Only for what follows the
 * issuer: others keep their identifier for ever. Where the new identifier is registered already, the two become one. Tokens and
 * consents for the old identifier are not changed: nobody accepts them any more.
 */
export async function moveResourceServer(
  trx: Trx,
  { now }: Pick<ResourceServerDeps, 'now'>,
  actor: Actor,
  { from, to }: { from: string; to: string },
): Promise<void> {
  const server = await lockResourceServer(trx, from);
  if (!server || from === to) return;
  const occurred_at = now();
  await renameInClients(trx, from, to);
  await renameInPermissions(trx, from, to);
  if (await findResourceServer(trx, to)) await deleteResourceServer(trx, server.id);
  else await updateResourceServer(trx, server.id, { identifier: to, updated_at: occurred_at });
  const target = { kind: 'resource_server', id: to };
  await appendEvent(trx, {
    actor,
    action: 'resource_server.updated',
    target,
    details: { moved_from: from },
    occurred_at,
  });
}

/** The issuer as which a server last served this installation: the admin API is named after it. Undefined before the first. */
export async function findIssuer(db: Db): Promise<string | undefined> {
  const [identifier] = await listBuiltInIdentifiers(db);
  return identifier && new URL(identifier).origin;
}
