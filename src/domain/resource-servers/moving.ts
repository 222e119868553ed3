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
 * Gives a resource server another identifier, and replaces it in clients, roles and keys. Only for identifiers that are derived from
 * the issuer: others never change. If the new identifier is registered already, the two are merged. Tokens and consents for the old
 * identifier are not changed: they are no longer accepted.
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

/** The issuer of the last start of a server: the identifier of the admin API contains it. Undefined before the first start. */
export async function findIssuer(db: Db): Promise<string | undefined> {
  const [identifier] = await listBuiltInIdentifiers(db);
  return identifier && new URL(identifier).origin;
}
