import type { Db } from '../../platform/database/index.ts';
import type { Jobs } from '../../platform/jobs/index.ts';
import type { ServerKeys } from '../../platform/keys/index.ts';
import type { Refusals } from '../audit/index.ts';
import type { SecretReads } from './reads.ts';
import type { Vault } from './vault.ts';

export type SecretsDeps = {
  db: Db;
  now: () => Date;
  keys: ServerKeys;
  issuer: string;
  vault: Vault;
  secretReads: SecretReads;
  jobs: Pick<Jobs, 'send'>;
  /** Undefined: the operator on the machine, who has all permissions. */
  refusals?: Refusals | undefined;
};
