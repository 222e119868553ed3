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
  /** The keys that are published now. */
  signingKeys: () => readonly SigningKey[];
};

/** The path of the index of lists; each list is one level below. */
export const statusListsPath = '/status-lists';

/** The address of the index of lists (draft-ietf-oauth-status-list §9). */
export function statusListsUri(issuer: string): string {
  return `${issuer}${statusListsPath}`;
}

/** The address of a list, which also identifies it: in tokens, and as the `sub` of the list. */
export function statusListUri(issuer: string, id: number): string {
  return `${statusListsUri(issuer)}/${id}`;
}

const keptMs = 1000;
// Unknown ids take an entry while they are looked up: there are more entries than concurrent requests, so that they evict no list.
const mostLists = 2048;

/**
 * The published lists. The refused tokens are read from the database, by the same rules as introspection; a revocation writes
 * nothing here. One query per list and second, however many requests there are.
 */
export class StatusLists {
  readonly #lists: LRUCache<number, StatusListToken>;
  readonly #uris: LRUCache<'all', string[]>;

  constructor(deps: StatusListsDeps) {
    this.#lists = readOnceASecond((id, previous) => makeList(deps, id, previous), mostLists);
    this.#uris = readOnceASecond(() => listUris(deps), 1);
  }

  /** @throws Problem `not_found`: there is no list with this id */
  get(id: number): Promise<StatusListToken> {
    return this.#lists.forceFetch(id);
  }

  /** The addresses of the lists that contain tokens (draft-ietf-oauth-status-list §9). */
  uris(): Promise<string[]> {
    return this.#uris.forceFetch('all');
  }
}

/** A failed read rejects for its waiting callers, and is not cached. */
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
      // The value is as old as the start of the read; a ttl of 0 would mean no expiry.
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
