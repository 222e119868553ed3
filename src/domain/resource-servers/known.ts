import { Cache, type ChangeFeed, type Db } from '../../platform/database/index.ts';
import { comparableIdentifier } from './identifiers.ts';
import { findComparable, type ResourceServer } from './store.ts';

const most = 10_000;
// Signed requests (RFC 9101) name resources past the checks that forms meet.
const identifierShape = /^[^\p{Cc}\p{Cs}]{1,512}$/u;

/** The resource servers as token requests see them: remembered by this node, and forgotten within a second of a change. */
export class ResourceServers {
  readonly #db: Db;
  readonly #cache: Cache<readonly ResourceServer[]>;

  constructor(db: Db, changes: ChangeFeed) {
    this.#db = db;
    this.#cache = new Cache(changes, 'resource_server', most, comparableIdentifier);
  }

  /**
   * The resource server of an identifier, enabled or not. Scheme and host may be spelled in another case, and one slash at the end
   * makes no difference: clients normalize what a person typed (RFC 3986 §6.2).
   */
  async find(identifier: string): Promise<ResourceServer | undefined> {
    if (!identifierShape.test(identifier)) return undefined;
    const comparable = comparableIdentifier(identifier);
    const spellings = await this.#cache.get(comparable, async () => {
      const found = await findComparable(this.#db, comparable);
      return found.length > 0 ? found : undefined;
    });
    const [first, ...others] = spellings ?? [];
    // Where several were registered side by side, only the exact one is meant.
    return spellings?.find((server) => server.identifier === identifier) ?? (others.length === 0 ? first : undefined);
  }
}
