import { type Config, isDevelopment } from '../../config.ts';
import type { ApplyDeps } from '../../domain/apply/index.ts';
import { IssuerKeys, type JudgementDeps, TokenReviews } from '../../domain/trusts/index.ts';
import type { ServerKeys } from '../../platform/keys/index.ts';
import { guardedAsk, guardedRevalidation } from '../../platform/outbound/index.ts';
import type { Installation } from '../installation.ts';

type Opened = Pick<Installation, 'keys' | 'now'> & { database: Pick<Installation['database'], 'db'> };

/** The dependencies of configuration as code: at the start of a server, in commands, and in the admin API. */
export function applyDeps(
  config: Pick<Config, 'apiKeyEnvironments' | 'clusters' | 'environment'>,
  { database, keys, now }: Opened,
  jobs: ApplyDeps['jobs'],
): ApplyDeps {
  return {
    ...{ db: database.db, jobs, keys, now, validateMetadata: metadataRules() },
    ...assertionJudges(config, { keys, now }),
    environments: config.apiKeyEnvironments,
    allowHttp: isDevelopment(config),
  };
}

const keySetTimeoutMs = 3000;
const maxKeySetBytes = 256 * 1024;

const reviewTimeoutMs = 3000;
const maxReviewBytes = 64 * 1024;

/**
 * The keys of trusted issuers, and the clusters that review tokens, at public addresses over TLS; in development also on this machine.
 */
export function assertionJudges(
  config: Pick<Config, 'clusters' | 'environment'>,
  { keys, now }: { keys: ServerKeys; now: () => Date },
): Pick<JudgementDeps, 'issuerKeys' | 'tokenReviews'> {
  const allowLoopback = isDevelopment(config);
  const get = guardedRevalidation({ allowLoopback, timeoutMs: keySetTimeoutMs, maxBytes: maxKeySetBytes });
  const reading = { timeoutMs: reviewTimeoutMs, maxBytes: maxReviewBytes };
  const ask = guardedAsk({ allowLoopback, ...reading, namedOrigins: config.clusters });
  return { issuerKeys: new IssuerKeys({ get, now }), tokenReviews: new TokenReviews({ ask, keys }) };
}

/** The provider's rules for client metadata, loaded for the first client: commands that register none start faster. */
export function metadataRules(): ApplyDeps['validateMetadata'] {
  let loaded: Promise<ApplyDeps['validateMetadata']> | undefined;
  return async (metadata) => {
    loaded ??= import('../../entrypoints/oauth/index.ts').then(({ clientMetadataRules }) => clientMetadataRules());
    const validate = await loaded;
    await validate(metadata);
  };
}
