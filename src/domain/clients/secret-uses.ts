import { Batched, type Db, Keyed } from '../../platform/database/index.ts';
import type { Logger } from '../../platform/logging/index.ts';
import { noteSecretUses } from './store.ts';

const everyMs = 1000;
const mostHeld = 100_000;
const mostAtOnce = 5000;

type SecretUse = { secret_id: string; used_at: Date };

/**
 * Collects when client secrets were last used and writes it for all of them together, at most once a second: a token request costs
 * no write. A crash loses at most a second. While the database is unavailable the uses wait.
 */
export class SecretUses {
  readonly #batched: Batched<SecretUse, Keyed<SecretUse>>;

  constructor({ db, log }: { db: Db; log: Logger }) {
    this.#batched = new Batched({
      ...{ log, what: 'uses of client secrets', everyMs, mostHeld, mostAtOnce },
      collect: () =>
        new Keyed(
          ({ secret_id }) => secret_id,
          (_, later) => later,
        ),
      write: (uses) => noteSecretUses(db, new Map(uses.map(({ secret_id, used_at }) => [secret_id, used_at]))),
    });
  }

  record(secret_id: string, used_at: Date): void {
    this.#batched.add({ secret_id, used_at });
  }

  /** Writes the uses that wait. */
  close(): Promise<void> {
    return this.#batched.close();
  }
}
