import { AccessRecords } from '../domain/access-records/index.ts';
import { type KeyRecord, KeyVerifier, readApiKey } from '../domain/api-keys/index.ts';
import { Refusals } from '../domain/audit/index.ts';
import type { ClientDocuments } from '../domain/client-documents/index.ts';
import { SecretUses } from '../domain/clients/index.ts';
import { emailQueue, type SendEmail } from '../domain/notifications/index.ts';
import { ResourceServers } from '../domain/resource-servers/index.ts';
import { SecretReads, Vault } from '../domain/secrets/index.ts';
import { KnownPolicy, Throttles } from '../domain/users/index.ts';
import { type KnownClients, knownClients, Reader } from '../entrypoints/oauth/index.ts';
import type { Digest } from '../platform/crypto/index.ts';
import { Jobs } from '../platform/jobs/index.ts';
import type { Logger } from '../platform/logging/index.ts';
import type { AppDeps } from './app-deps.ts';
import { clientDocuments } from './compose/client-documents.ts';
import type { Installation } from './installation.ts';

/** Services that exist as long as the process and are used by several entrypoints. Each entrypoint picks its own (`compose/`). */
export type Services = Pick<Installation, 'database' | 'keys' | 'now'> & {
  db: Installation['database']['db'];
  log: Logger;
  reader: Reader;
  knownClients: KnownClients;
  resourceServers: ResourceServers;
  documents: ClientDocuments;
  jobs: Jobs;
  throttles: Throttles;
  /** How users must sign in. */
  policy: KnownPolicy;
  refusals: Refusals;
  accessRecords: AccessRecords;
  secretUses: SecretUses;
  apiKeys: KeyVerifier;
  vault: Vault;
  secretReads: SecretReads;
  /** Set if there is a mail server. */
  sendEmail: SendEmail | undefined;
  /** Writes their buffered data. */
  close: () => Promise<void>;
};

export type ServicesDeps = Pick<AppDeps, 'config' | 'inFlight' | 'installation' | 'issuer' | 'log'>;

/** Opens the services; jobs are processed once they are started. */
export function openServices({ config, inFlight, installation, issuer, log }: ServicesDeps): Services {
  const { changes, clock, database, databaseUrl, keys, now, rootKey } = installation;
  const { db } = database;
  const { apiKeyEnvironments: environments, apiKeyLimits: limits, edge } = config;
  const hasTrustedProxy = edge.trust !== 'none';
  const refusals = new Refusals({ db, now, log });
  const accessRecords = new AccessRecords({ db, now, log });
  const secretUses = new SecretUses({ db, log });
  const isAlone = () => inFlight.size <= 1;
  const reader = new Reader(database, { now, isAlone });
  const readKey = (digest: Digest) => reader.find<KeyRecord & Record<string, unknown>>(readApiKey, digest);
  const apiKeys = new KeyVerifier({ db, changes, now, log, readKey, environments, limits, hasTrustedProxy });
  const resourceServers = new ResourceServers(db, changes);
  const jobs = new Jobs(databaseUrl, log, {
    isReady: () => clock.isWithinBounds(),
    listens: config.preparedStatements,
  });
  return {
    ...{ db, database, keys, now, log, reader, jobs, refusals, accessRecords, secretUses, apiKeys },
    vault: new Vault({ db, rootKey, now, sealKind: config.vaultSeal }),
    secretReads: new SecretReads({ database, now, isAlone }),
    knownClients: knownClients(changes),
    resourceServers,
    documents: clientDocuments({ config, db, issuer, now, resourceServers }),
    sendEmail: config.mail && emailQueue({ jobs, keys }),
    throttles: new Throttles(db),
    policy: new KnownPolicy(db, changes),
    close: async () => {
      await apiKeys.close();
      await refusals.close();
      await accessRecords.close();
      await secretUses.close();
    },
  };
}
