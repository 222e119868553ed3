import { promisify } from 'node:util';
import { inflate } from 'node:zlib';
import { type JWTVerifyGetKey, jwtVerify } from 'jose';

const unzip = promisify(inflate);
// 16 million indexes.
const mostBytes = 2 * 1024 * 1024;
const timeoutMs = 3000;
const mostLists = 1000;
// While the issuer is unavailable, one request in this time waits for it; the others use the cached list.
const againMs = 5000;

type List = { bits: Buffer; freshUntil: number; goodUntil: number };
type Claims = { ttl?: number; status_list?: { bits?: number; lst?: string } };

export type StatusListOptions = { issuer: string; keys: JWTVerifyGetKey; now: () => number };

/**
 * The issuer's published lists of revoked tokens (draft-ietf-oauth-status-list), fetched on demand and cached for their `ttl`; while the
 * issuer cannot be reached, until their signature expires.
 */
export class StatusLists {
  readonly #options: StatusListOptions;
  readonly #lists = new Map<string, List>();
  readonly #fetching = new Map<string, Promise<List>>();

  constructor(options: StatusListOptions) {
    this.#options = options;
  }

  /**
   * Whether the token at an index is active.
   *
   * @throws the list cannot be fetched, or is not the issuer's
   */
  async stands({ uri, idx }: { uri: string; idx: number }): Promise<boolean> {
    if (!uri.startsWith(`${this.#options.issuer}/`)) throw new Error(`a status list of another issuer: ${uri}`);
    const { bits } = await this.#list(uri);
    const byte = bits[Math.floor(idx / 8)];
    return byte !== undefined && ((byte >> (idx % 8)) & 1) === 0;
  }

  async #list(uri: string): Promise<List> {
    const known = this.#lists.get(uri);
    const now = this.#options.now();
    if (known && now < known.freshUntil) return known;
    try {
      return await this.#fetched(uri);
    } catch (error) {
      if (!known || now >= known.goodUntil) throw error;
      known.freshUntil = now + againMs;
      return known;
    }
  }

  /** One fetch for all requests that wait. */
  #fetched(uri: string): Promise<List> {
    const under = this.#fetching.get(uri);
    if (under) return under;
    const fetching = this.#fetch(uri).finally(() => this.#fetching.delete(uri));
    this.#fetching.set(uri, fetching);
    return fetching;
  }

  async #fetch(uri: string): Promise<List> {
    const { issuer, keys, now } = this.#options;
    const headers = { accept: 'application/statuslist+jwt' };
    const response = await fetch(uri, { headers, redirect: 'error', signal: AbortSignal.timeout(timeoutMs) });
    if (!response.ok) throw new Error(`the status list cannot be read: ${response.status}`);
    const { payload } = await jwtVerify<Claims>(await response.text(), keys, {
      issuer,
      subject: uri,
      typ: 'statuslist+jwt',
      currentDate: new Date(now()),
    });
    const { ttl = 60, exp = 0, status_list } = payload;
    if (status_list?.bits !== 1 || status_list.lst === undefined) throw new Error('a status list in an unknown format');
    const bits = await unzip(Buffer.from(status_list.lst, 'base64url'), { maxOutputLength: mostBytes });
    const list = { bits, freshUntil: now() + ttl * 1000, goodUntil: exp * 1000 };
    if (this.#lists.size >= mostLists) this.#lists.clear();
    this.#lists.set(uri, list);
    return list;
  }
}
