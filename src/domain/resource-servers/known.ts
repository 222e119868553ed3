import { Cache, type ChangeFeed, type Db } from '../../platform/database/index.ts';
import { comparableIdentifier } from './identifiers.ts';
import { findComparable, type ResourceServer } from './store.ts';

const most = 10_000;
// Resources in signed requests (RFC 9101) bypass the checks of form parameters.
const identifierShape = /^[^\p{Cc}\p{Cs}]{1,512}$/u;

/** Resource servers for token requests: cached by this node, and dropped within a second of a change. */
export class ResourceServers {
  readonly #db: Db;
  readonly #cache: Cache<readonly ResourceServer[]>;

  constructor(db: Db, changes: ChangeFeed) {
    this.#db = db;
    this.#cache = new Cache(changes, 'resource_server', most, comparableIdentifier);
  }

  /**
   * The resource server with an identifier, enabled or not. Case in scheme and host, and one trailing slash, make no difference:
   * clients normalize URLs that a user typed (RFC 3986 §6.2).
   */
  async find(identifier: string): Promise<ResourceServer | undefined> {
    if (!identifierShape.test(identifier)) return undefined;
    const comparable = comparableIdentifier(identifier);
    const spellings = await this.#cache.get(comparable, async () => {
      const found = await findComparable(this.#db, comparable);
      return found.length > 0 ? found : undefined;
    });
    const [first, ...others] = spellings ?? [];
    // If several spellings are registered, only the exact one matches.
    return spellings?.find((server) => server.identifier === identifier) ?? (others.length === 0 ? first : undefined);
  }
}
