import { LRUCache } from 'lru-cache';
import type { Db } from '../../platform/database/index.ts';
import { notFound } from '../../platform/http/index.ts';
import type { SigningKey } from '../signing-keys/index.ts';
import { draftStatusList, type StatusListToken, signStatusList } from './status-list-token.ts';
import { findListContent, listListIds } from './store.ts';

export type StatusListsDeps = {
  db: Db;
  issuer: string;
  now: () => Date;
  /** Published keys of this moment. */
  signingKeys: () => readonly SigningKey[];
};

/** Where the lists lie; the lists themselves are one step below. */
export const statusListsPath = '/status-lists';

/** The address that names them all (draft-ietf-oauth-status-list §9). */
export function statusListsUri(issuer: string): string {
  return `${issuer}${statusListsPath}`;
}

/** The address of a list, which is its name too: in tokens, and as the `sub` of the list. */
export function statusListUri(issuer: string, id: number): string {
  return `${statusListsUri(issuer)}/${id}`;
}

const keptMs = 1000;
// Unknown ids take a place while they are looked up: there are more places than requests at once, so that they displace no list.
const mostLists = 2048;

/**
 * The published lists. Which tokens are refused is read from the database, judged as introspection judges it; nothing is
 * written when something is revoked. One query a list and second, however many ask.
 */
export class StatusLists {
  readonly #lists: LRUCache<number, StatusListToken>;
  readonly #uris: LRUCache<'all', string[]>;

  constructor(deps: StatusListsDeps) {
    this.#lists = readOnceASecond((id, previous) => makeList(deps, id, previous), mostLists);
    this.#uris = readOnceASecond(() => listUris(deps), 1);
  }

  /** @throws Problem `not_found`: no list was begun under this id */
  get(id: number): Promise<StatusListToken> {
    return this.#lists.forceFetch(id);
  }

  /** The addresses of the lists that hold a token (draft-ietf-oauth-status-list §9). */
  uris(): Promise<string[]> {
    return this.#uris.forceFetch('all');
  }
}

/** A failed read rejects for those who wait, and is not kept. */
function readOnceASecond<Key extends number | string, Value extends object>(
  read: (key: Key, previous: Value | undefined) => Promise<Value>,
  max: number,
): LRUCache<Key, Value> {
  return new LRUCache({
    max,
    ttl: keptMs,
    ignoreFetchAbort: true,
    noDeleteOnFetchRejection: true,
    fetchMethod: async (key, previous, { options }) => {
      const readAt = performance.now();
      const value = await read(key, previous);
      // The value was true when the read began; a ttl of 0 would be none.
      options.ttl = Math.max(1, keptMs - (performance.now() - readAt));
      return value;
    },
  });
}

async function makeList(
  { db, issuer, now, signingKeys }: StatusListsDeps,
  id: number,
  previous: StatusListToken | undefined,
): Promise<StatusListToken> {
  const content = await findListContent(db, id, now());
  if (!content) throw notFound('status list', String(id));
  const draft = draftStatusList({ uri: statusListUri(issuer, id), issuer, now: now() }, content, signingKeys());
  return draft.etag === previous?.etag ? previous : signStatusList(draft);
}

async function listUris({ db, issuer }: StatusListsDeps): Promise<string[]> {
  return (await listListIds(db)).map((id) => statusListUri(issuer, id));
}
