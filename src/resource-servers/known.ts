import { Cache, type ChangeFeed, type Db } from '../platform/database/index.ts';
import { findResourceServer, type ResourceServer } from './store.ts';

const most = 10_000;
// Signed requests (RFC 9101) name resources past the checks that forms meet.
const identifierShape = /^[^\p{Cc}\p{Cs}]{1,512}$/u;

/** The resource servers as token requests see them: remembered by this node, and forgotten within a second of a change. */
export class ResourceServers {
  readonly #db: Db;
  readonly #cache: Cache<ResourceServer>;

  constructor(db: Db, changes: ChangeFeed) {
    this.#db = db;
    this.#cache = new Cache(changes, 'resource_server', most);
  }

  /** The resource server of an identifier (compared exactly: RFC 8707 §2), enabled or not. */
  async find(identifier: string): Promise<ResourceServer | undefined> {
    if (!identifierShape.test(identifier)) return undefined;
    return this.#cache.get(identifier, () => findResourceServer(this.#db, identifier));
  }
}
