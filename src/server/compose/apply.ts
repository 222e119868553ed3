import { type Config, isDevelopment } from '../../config.ts';
import type { ApplyDeps } from '../../domain/apply/index.ts';
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
    environments: config.apiKeyEnvironments,
    allowHttp: isDevelopment(config),
  };
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
