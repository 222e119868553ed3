import type { KeyObject } from 'node:crypto';
import { base62, formatCredential, keyedDigest, secretLength } from '../../platform/crypto/index.ts';
import { inTransaction } from '../../platform/database/index.ts';
import { system } from '../../platform/http/index.ts';
import { type Client, findClient } from '../clients/index.ts';
import { listResourceServers, moveResourceServer, type ResourceServer } from '../resource-servers/index.ts';
import { type ApplyDeps, applyConfiguration } from './apply.ts';
import { ConfigurationFile } from './schemas.ts';

/** The demo app as a registered client. */
export type DemoClient = { client_id: string; client_secret: string; url: string };

const client_id = 'latchkey-demo';
const apiName = 'Demo orders';
const apiPath = '/demo/api';

/**
 * Registers the demo app of this server and its API by applying a configuration. The secret is derived from the root key: it is the
 * same at every start and on every node, and is shown nowhere.
 */
export async function applyDemo(
  deps: ApplyDeps,
  { issuer, rootKey }: { issuer: string; rootKey: KeyObject },
): Promise<DemoClient> {
  const url = `${issuer}/demo`;
  const bytes = keyedDigest(rootKey, 'client secret of the demo app');
  const client_secret = formatCredential('lk_cs_', base62(bytes, secretLength));
  await followIssuer(deps, `${issuer}${apiPath}`);
  await applyConfiguration(deps, system, demoConfiguration(url, client_secret), { missingSecrets: 'refuse' });
  return { client_id, client_secret, url };
}

/** After a change of the issuer, gives the API of the demo its new identifier. */
async function followIssuer({ db, now }: ApplyDeps, to: string): Promise<void> {
  await inTransaction(db, async (trx) => {
    if (!(await findClient(trx, client_id))) return;
    for (const { identifier: from, name } of await listResourceServers(trx))
      if (name === apiName && from.endsWith(apiPath)) await moveResourceServer(trx, { now }, system, { from, to });
  });
}

function demoConfiguration(url: string, client_secret: string): ConfigurationFile {
  const identifier = `${url}/api`;
  const scopes = [
    { name: 'orders:read', description: 'See what you ordered', default: true, optional: true },
    { name: 'orders:cancel', description: 'Cancel your orders', optional: true, sensitive: true },
  ];
  const client = {
    client_id,
    client_secret,
    client_name: 'Demo app',
    redirect_uris: [`${url}/callback`],
    post_logout_redirect_uris: [url],
    scope: 'openid profile email',
    resources: { [identifier]: ['orders:read', 'orders:cancel'] },
    introspects: [identifier],
  };
  return ConfigurationFile.parse({
    resource_servers: [{ identifier, name: apiName, scopes }],
    clients: [client],
  });
}

type Registered<S, C> = { servers: S[]; clients: C[] };

/**
 * Leaves out the records of the demo: a file exported here and applied in production would otherwise contain a client that redirects
 * to a developer's machine. The next start registers them again anyway.
 */
export function withoutDemo<
  S extends Pick<ResourceServer, 'identifier'>,
  C extends Pick<Client, 'client_id' | 'introspects'>,
>({ servers, clients }: Registered<S, C>): Registered<S, C> {
  const demo = clients.find((client) => client.client_id === client_id);
  return {
    servers: servers.filter(({ identifier }) => !demo?.introspects.includes(identifier)),
    clients: clients.filter((client) => client !== demo),
  };
}
