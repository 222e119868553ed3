import { Cache, type ChangeFeed, type Db } from '../../../platform/database/index.ts';
import { findSignInPolicy, type PolicyRow } from './policy-store.ts';

const key = 'policy';

/** The sign-in policy for sign-ins and authorization requests: cached by this node, and read again within a second of a change. */
export class KnownPolicy {
  readonly #db: Db;
  readonly #cache: Cache<PolicyRow>;

  constructor(db: Db, changes: ChangeFeed) {
    this.#db = db;
    this.#cache = new Cache(changes, 'sign_in_policy', 1, () => key);
  }

  async current(): Promise<PolicyRow> {
    return (await this.#cache.get(key, () => findSignInPolicy(this.#db))) ?? findSignInPolicy(this.#db);
  }
}
