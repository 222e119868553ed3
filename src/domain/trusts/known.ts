import { Cache, type ChangeFeed, type Db } from '../../platform/database/index.ts';
import { listTrustsOf, type Trust } from './store.ts';

const most = 1000;
// Issuers are read from unverified JWTs; one that PostgreSQL refuses would be an error of the server.
const issuerShape = /^[\u0021-\u007e]{1,512}$/;

/** The enabled trusts for token requests: cached by this node, and removed within a second of a change. */
export class KnownTrusts {
  readonly #db: Db;
  readonly #cache: Cache<readonly Trust[]>;

  constructor(db: Db, changes: ChangeFeed) {
    this.#db = db;
    this.#cache = new Cache(changes, 'trust', most);
  }

  /** The enabled trusts of an issuer, compared exactly; the oldest first. */
  async of(issuer: string): Promise<readonly Trust[]> {
    if (!issuerShape.test(issuer)) return [];
    const found = await this.#cache.get(issuer, async () => {
      const trusts = await listTrustsOf(this.#db, issuer);
      return trusts.length > 0 ? trusts : undefined;
    });
    return found ?? [];
  }
}
