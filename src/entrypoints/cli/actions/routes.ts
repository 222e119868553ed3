import { apiKeyRoutes } from '../../../domain/api-keys/index.ts';
import { clientRoutes } from '../../../domain/clients/index.ts';
import { consentRoutes } from '../../../domain/consents/index.ts';
import { identityRoutes } from '../../../domain/identities/index.ts';
import { emailQueue } from '../../../domain/notifications/index.ts';
import { resourceServerRoutes } from '../../../domain/resource-servers/index.ts';
import { SecretReads, secretRoutes, Vault } from '../../../domain/secrets/index.ts';
import { signingKeyRoutes } from '../../../domain/signing-keys/index.ts';
import { trustRoutes } from '../../../domain/trusts/index.ts';
import { userRoutes } from '../../../domain/users/index.ts';
import { inProcess, RouteClient, routeTable } from '../../../platform/http/index.ts';
import type { CommandContext } from './command-context.ts';

const routes = [
  ...apiKeyRoutes,
  ...clientRoutes,
  ...consentRoutes,
  ...identityRoutes,
  ...resourceServerRoutes,
  ...secretRoutes,
  ...signingKeyRoutes,
  ...trustRoutes,
  ...userRoutes,
];
const table = routeTable(routes);

/** The routes of the admin API that commands use, in this process: the same inputs, responses and refusals. */
export function routesOf({ config, installation, deps, actor }: Omit<CommandContext, 'host'>) {
  const { issuer = '', mail } = config;
  const { database, rootKey, now } = installation;
  const given = {
    ...{ ...deps, issuer, rootKey },
    vault: new Vault({ db: database.db, rootKey, now, sealKind: config.vaultSeal }),
    secretReads: new SecretReads({ database, now }),
    keyActivationSeconds: config.keyActivationSeconds,
    // A mail needs a complete address in it, and a server that sends it.
    sendEmail: mail && issuer ? emailQueue(deps) : undefined,
  };
  return new RouteClient<(typeof routes)[number]>(table, inProcess(given, actor));
}
