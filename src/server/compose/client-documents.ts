import { type Config, isDevelopment } from '../../config.ts';
import { ClientDocuments, maxDocumentBytes, maxKeysBytes } from '../../domain/client-documents/index.ts';
import type { ResourceServers } from '../../domain/resource-servers/index.ts';
import type { Db } from '../../platform/database/index.ts';
import { guardedRevalidation } from '../../platform/outbound/index.ts';
import { metadataRules } from './apply.ts';

type Needs = { config: Config; db: Db; issuer: string; now: () => Date; resourceServers: ResourceServers };

const timeoutMs = 3000;

/** Reads client ID metadata documents, from public addresses only. */
export function clientDocuments({ config, db, issuer, now, resourceServers }: Needs): ClientDocuments {
  const { clientDocuments: domains } = config;
  const allowLoopback = isDevelopment(config);
  const reader = (maxBytes: number) =>
    guardedRevalidation({ allowLoopback, timeoutMs, maxBytes, accept: 'application/json' });
  return new ClientDocuments({
    ...{ db, now, validateMetadata: metadataRules() },
    rules: domains && { domains, allowLoopback, issuer },
    getDocument: reader(maxDocumentBytes),
    getKeys: reader(maxKeysBytes),
    isResourceServer: async (identifier) => (await resourceServers.find(identifier)) !== undefined,
  });
}
