import { LRUCache } from 'lru-cache';
import { atMostEntries } from '../../platform/caching/index.ts';
import { AddressBuckets } from '../../platform/http/index.ts';

const minuteMs = 60_000;
const mostNames = 20_000;

/** How many documents a node fetches: for a client address at once, and each second afterwards; of a host, and in all, each minute. */
const bounds = { perAddress: 300, perHost: 300, inAll: 600 };
/** At once, of all and of one client address: slow hosts must not take all places. */
const atOnce = { inAll: 64, perAddress: 8 };
const retryMs = 10_000;

/**
 * Bounds the fetches that anybody can cause by naming addresses, in this process. What is fetched again because it is in use does not
 * count for its host: a caller that names a thousand addresses of a host must not keep others from the documents they use.
 */
export class FetchBudget {
  readonly #now: () => Date;
  readonly #addresses: AddressBuckets;
  readonly #minutes = new LRUCache<string, { minute: number; used: number }>(atMostEntries(mostNames));
  readonly #failed = new LRUCache<string, { retryAt: number }>(atMostEntries(mostNames));
  #running = 0;
  readonly #runningOf = new Map<string, number>();

  constructor(now: () => Date) {
    this.#now = now;
    this.#addresses = new AddressBuckets({ burst: bounds.perAddress, refillMs: 1000, now });
  }

  /** Takes a fetch; false: there is none left. `end` must follow. */
  begin(url: string, { address, isKnown }: { address: string; isKnown: boolean }): boolean {
    const { host } = new URL(url);
    const now = this.#now().getTime();
    const isWaiting = isKnown && (this.#failed.get(url)?.retryAt ?? 0) > now;
    const own = this.#runningOf.get(address) ?? 0;
    if (isWaiting || this.#running >= atOnce.inAll || own >= atOnce.perAddress) return false;
    if (this.#addresses.waitMs(address) > 0) return false;
    if (!isKnown && !(this.#takeOf(`host ${host}`, bounds.perHost) && this.#takeOf('all', bounds.inAll))) return false;
    this.#addresses.take(address);
    this.#running += 1;
    this.#runningOf.set(address, own + 1);
    return true;
  }

  end(url: string, { address, isAnswered }: { address: string; isAnswered: boolean }): void {
    this.#running -= 1;
    const own = (this.#runningOf.get(address) ?? 1) - 1;
    if (own > 0) this.#runningOf.set(address, own);
    else this.#runningOf.delete(address);
    if (isAnswered) this.#failed.delete(url);
    else this.#failed.set(url, { retryAt: this.#now().getTime() + retryMs });
  }

  #takeOf(name: string, most: number): boolean {
    const minute = Math.floor(this.#now().getTime() / minuteMs);
    const known = this.#minutes.get(name);
    const used = known?.minute === minute ? known.used : 0;
    if (used >= most) return false;
    this.#minutes.set(name, { minute, used: used + 1 });
    return true;
  }
}
