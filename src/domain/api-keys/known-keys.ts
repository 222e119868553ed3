import { LRUCache } from 'lru-cache';
import { atMostEntries } from '../../platform/caching/index.ts';
import { type Digest, digestText } from '../../platform/crypto/index.ts';
import type { ChangeFeed } from '../../platform/database/index.ts';
import { compileKey, type KeyEntry } from './entry.ts';
import type { KeyRecord } from './key-record.ts';
import { LookupQueue } from './lookup-queue.ts';
import type { KeySender, UnknownKeyThrottle } from './unknown-key-throttle.ts';

export type KnownKeysDeps = {
  changes: ChangeFeed;
  now: () => Date;
  unknownKeys: UnknownKeyThrottle;
  /** Reads a key from the database, by `readApiKey`. */
  readKey: (digest: Digest) => Promise<KeyRecord | undefined>;
};

// Nodes of the previous version announce this for very many keys.
const everyKey = '*';
const mostKnown = 100_000;
const mostUnknown = 10_000;

/** The result of a lookup; `throttled`: the sender tried too many unknown keys, so no lookup was made. */
export type Found = KeyEntry | 'throttled' | undefined;

/**
 * The keys that this node has read, by digest: bounded, prepared for decisions, dropped when the change feed reports a change, and
 * not used while the feed cannot confirm them (DESIGN.md §8). Unknown keys are cached separately, so that guesses neither reach the
 * database twice nor evict the keys in use.
 */
export class KnownKeys {
  readonly #deps: KnownKeysDeps;
  readonly #entries: LRUCache<string, KeyEntry>;
  readonly #unknown = new LRUCache<string, true>(atMostEntries(mostUnknown));
  readonly #textsOf = new Map<string, Set<string>>();
  readonly #queue = new LookupQueue();
  readonly #reading = new Map<string, Promise<KeyEntry | undefined>>();
  #epoch = 0;

  constructor(deps: KnownKeysDeps) {
    this.#deps = deps;
    this.#entries = new LRUCache({ ...atMostEntries(mostKnown), dispose: (entry, text) => this.#untie(entry, text) });
    deps.changes.on('api_key', (keys) => this.#forgetKeys(keys));
    deps.changes.on('role', (names) =>
      this.#forgetWhere(({ owner, roles }) => {
        return owner.kind === 'user' || names === 'all' || roles.some((role) => names.includes(role));
      }),
    );
    deps.changes.on('subject', (ids) => this.#forgetWhere(({ owner }) => ids === 'all' || ids.includes(owner.id)));
  }

  /** A cached key that is still valid; read from memory only. */
  cached(key: string, now: Date): KeyEntry | undefined {
    return this.#deps.changes.isTrusted() ? this.#fresh(digestText(key), now) : undefined;
  }

  /**
   * The key with this value.
   *
   * @param from who is counted when it does not exist
   * @throws when it is not cached here and the database is unavailable
   */
  find(key: string, from: KeySender): Promise<Found> {
    return this.#find(digestText(key), from);
  }

  /** The same, by the digest of the value. */
  findByDigest(digest: Digest, from: KeySender): Promise<Found> {
    return this.#find(digest.toString('latin1'), from);
  }

  async #find(text: string, from: KeySender): Promise<Found> {
    if (!this.#deps.changes.isTrusted()) return this.#read(text, from);
    if (this.#unknown.has(text)) return undefined;
    return this.#fresh(text, this.#deps.now()) ?? this.#read(text, from);
  }

  #fresh(text: string, now: Date): KeyEntry | undefined {
    const entry = this.#entries.get(text);
    return entry && entry.fresh_until.getTime() > now.getTime() ? entry : undefined;
  }

  async #read(text: string, from: KeySender): Promise<Found> {
    const { unknownKeys } = this.#deps;
    const look = () => this.#reading.get(text) ?? this.#begin(text);
    // A key in use is looked up again regularly; unknown keys from the same address must not prevent that.
    const isStopped = !this.#entries.has(text) && unknownKeys.isStopped(from);
    if (isStopped && 'address' in from) return 'throttled';
    const found = isStopped ? await this.#queue.run(look) : { result: await look() };
    if (!found) return 'throttled';
    if (!found.result && !isStopped) unknownKeys.count(from);
    return found.result;
  }

  // Concurrent requests with a key that is not cached share one lookup.
  #begin(text: string): Promise<KeyEntry | undefined> {
    const reading = this.#look(text).finally(() => this.#reading.delete(text));
    this.#reading.set(text, reading);
    return reading;
  }

  async #look(text: string): Promise<KeyEntry | undefined> {
    const { now, readKey } = this.#deps;
    const epoch = this.#epoch;
    const record = await readKey(Buffer.from(text, 'latin1') as Digest);
    const entry = record && compileKey(record, now());
    // A value that was read while a change arrived may be older than the change.
    if (epoch !== this.#epoch) return entry;
    if (!entry) this.#unknown.set(text, true);
    else this.#remember(text, entry);
    return entry;
  }

  #remember(text: string, entry: KeyEntry): void {
    this.#entries.set(text, entry);
    const texts = this.#textsOf.get(entry.id) ?? new Set();
    this.#textsOf.set(entry.id, texts.add(text));
  }

  #untie({ id }: KeyEntry, text: string): void {
    const texts = this.#textsOf.get(id);
    texts?.delete(text);
    if (texts?.size === 0) this.#textsOf.delete(id);
  }

  #forgetKeys(keys: readonly string[] | 'all'): void {
    this.#forgetReading();
    if (keys === 'all' || keys.includes(everyKey)) this.#entries.clear();
    else for (const text of keys.flatMap((id) => [...(this.#textsOf.get(id) ?? [])])) this.#entries.delete(text);
    this.#unknown.clear();
  }

  #forgetWhere(isMeant: (entry: KeyEntry) => boolean): void {
    this.#forgetReading();
    for (const [text, entry] of [...this.#entries.entries()]) if (isMeant(entry)) this.#entries.delete(text);
  }

  /** Later callers must not share a lookup that started before the change. */
  #forgetReading(): void {
    this.#epoch += 1;
    this.#reading.clear();
  }
}
