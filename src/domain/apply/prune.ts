import { type Actor, notFound } from '../../platform/http/index.ts';
import { disableClient, listEveryClient } from '../clients/index.ts';
import { disableResourceServer, listResourceServers } from '../resource-servers/index.ts';
import { countLiveTokens, type LiveTokens } from '../tokens/index.ts';
import { disableUser, findUserByUsername, listUsers } from '../users/index.ts';
import type { ApplyDeps, Change } from './apply.ts';
import { withoutDemo } from './demo.ts';
import type { ConfigurationFile } from './schemas.ts';

/** Something enabled that the file does not name, and the live credentials that would stop working with it. */
export type Prunable = Pick<Change, 'kind' | 'id'> & LiveTokens;

/**
 * What pruning would disable. Nothing is deleted: history keeps its names, and it can be enabled again. The demo app stays: it
 * is in no exported file.
 */
export async function whatWouldBePruned({ db, now }: ApplyDeps, file: ConfigurationFile): Promise<Prunable[]> {
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
    // A client_id counts with its case: of "Billing" and "billing" each is a client of its own.
    ...clients
      .filter(({ id }) => !file.clients.some(({ client_id }) => client_id === id))
      .map((each) => ({ kind: 'client' as const, ...each })),
    ...without(
      users,
      file.users.map(({ username }) => username),
    ).map((each) => ({ kind: 'user' as const, ...each })),
  ];
  return Promise.all(
    unnamed.map(async ({ kind, id, of }) => ({ kind, id, ...(await countLiveTokens(db, of, now())) })),
  );
}

function without<T extends { id: string }>(present: T[], named: string[]): T[] {
  const names = new Set(named.map((name) => name.toLowerCase()));
  return present.filter(({ id }) => !names.has(id.toLowerCase()));
}

/**
 * Disables what the file does not name, one after the other; what was done stays done when a later one is refused.
 *
 * @throws Problem `conflict`: nobody would be left to administer
 */
export async function pruneConfiguration(deps: ApplyDeps, actor: Actor, prunable: readonly Prunable[]): Promise<void> {
  const disable = { 'resource server': disableResourceServer, client: disableClient, user: disableUserNamed };
  for (const { kind, id } of prunable) await disable[kind](deps, actor, id);
}

async function disableUserNamed(deps: ApplyDeps, actor: Actor, username: string): Promise<void> {
  const user = await findUserByUsername(deps.db, username);
  if (!user) throw notFound('user', username);
  await disableUser(deps, actor, user.id);
}
