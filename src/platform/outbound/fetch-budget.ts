import { LRUCache } from 'lru-cache';
import { atMostEntries } from '../caching/index.ts';
import { AddressBuckets, addressGroups } from '../http/index.ts';

const minuteMs = 60_000;
const mostNames = 20_000;

/** How much a node fetches: for a client address at once, and each second afterwards; from a host, and in total, each minute. */
const bounds = { perAddress: 300, perHost: 300, inAll: 600 };
/** Simultaneous fetches, in total and for one client address: slow hosts must not use all slots. */
const atOnce = { inAll: 64, perAddress: 8 };
const retryMs = 10_000;

export type FetchRequest = {
  /** Of the client that causes the fetch. */
  address: string;
  /**
   * Whether it counts for its host and in total. A document that is fetched again because it is in use does not: a caller that names a
   * thousand addresses of a host must not block the clients that others use.
   */
  isCounted: boolean;
  /** Whether a fetch that failed a moment ago is not retried. */
  waitsAfterFailure: boolean;
};

/** Limits the fetches that anyone can cause by naming addresses, in this process. */
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

  /** Starts a fetch; false: the budget is used up. `end` must follow. */
  begin(url: string, { address, isCounted, waitsAfterFailure }: FetchRequest): boolean {
    const now = this.#now().getTime();
    const isWaiting = waitsAfterFailure && (this.#failed.get(url)?.retryAt ?? 0) > now;
    const own = this.#runningOf.get(networkOf(address)) ?? 0;
    if (isWaiting || this.#running >= atOnce.inAll || own >= atOnce.perAddress) return false;
    if (this.#addresses.waitMs(address) > 0) return false;
    if (isCounted && !(this.takeOfHost(url) && this.#takeOf('all', bounds.inAll))) return false;
    this.#addresses.take(address);
    this.#running += 1;
    this.#runningOf.set(networkOf(address), own + 1);
    return true;
  }

  end(url: string, { address, isAnswered }: { address: string; isAnswered: boolean }): void {
    this.#running -= 1;
    const network = networkOf(address);
    const own = (this.#runningOf.get(network) ?? 1) - 1;
    if (own > 0) this.#runningOf.set(network, own);
    else this.#runningOf.delete(network);
    if (isAnswered) this.#failed.delete(url);
    else this.#failed.set(url, { retryAt: this.#now().getTime() + retryMs });
  }

  /** Counts one more fetch from a host, such as of keys that a document names elsewhere; false: the budget is used up. */
  takeOfHost(url: string): boolean {
    return this.#takeOf(`host ${new URL(url).host}`, bounds.perHost);
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

/** One customer has all addresses of an IPv6 /64. */
function networkOf(address: string): string {
  return addressGroups(address)[0]?.name ?? address;
}
