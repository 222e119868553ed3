import { type Config, isDevelopment } from '../../config.ts';
import type { ApplyDeps } from '../../domain/apply/index.ts';
import { IssuerKeys } from '../../domain/trusts/index.ts';
import { guardedGet } from '../../platform/outbound/index.ts';
import type { Installation } from '../installation.ts';

type Opened = Pick<Installation, 'keys' | 'now'> & { database: Pick<Installation['database'], 'db'> };

/** What configuration as code works with: at the start of a server, in commands, and in the admin API. */
export function applyDeps(
  config: Pick<Config, 'apiKeyEnvironments' | 'environment'>,
  { database, keys, now }: Opened,
  jobs: ApplyDeps['jobs'],
): ApplyDeps {
  return {
    ...{ db: database.db, jobs, keys, now, validateMetadata: metadataRules() },
    issuerKeys: issuerKeys(config, now),
    environments: config.apiKeyEnvironments,
    allowHttp: isDevelopment(config),
  };
}

const keySetTimeoutMs = 3000;
const maxKeySetBytes = 256 * 1024;

/** The keys of trusted issuers, read from public addresses over TLS; in development also from this machine. */
export function issuerKeys(config: Pick<Config, 'environment'>, now: () => Date): IssuerKeys {
  const allowLoopback = isDevelopment(config);
  const get = guardedGet({ allowLoopback, timeoutMs: keySetTimeoutMs, maxBytes: maxKeySetBytes });
  return new IssuerKeys({ get, now });
}

/** The provider's rules for client metadata, loaded by the first client: commands that register none start faster. */
export function metadataRules(): ApplyDeps['validateMetadata'] {
  let loaded: Promise<ApplyDeps['validateMetadata']> | undefined;
  return async (metadata) => {
    loaded ??= import('../../entrypoints/oauth/index.ts').then(({ clientMetadataRules }) => clientMetadataRules());
    const validate = await loaded;
    await validate(metadata);
  };
}
