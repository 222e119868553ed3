import { randomUUID } from 'node:crypto';
import { invalid, type Problem } from '../../platform/http/index.ts';
import type { ShareSet } from './share-sets.ts';
import { readShare, type Share } from './shares.ts';

/** The shares that were entered on this node so far, in memory alone. A wrong one is refused at once, and the others are kept. */
export class UnsealProgress {
  /** By their set, and by their index in it. */
  readonly #given = new Map<string, Map<number, Share>>();
  #nonce = '';
  /** The set of the latest share. */
  #set_id = '';

  get count(): number {
    return this.#given.get(this.#set_id)?.size ?? 0;
  }

  /** Identifies one attempt; empty while no share was entered. */
  get nonce(): string {
    return this.#nonce;
  }

  /** The set of the entered shares; before the first one the newest. */
  setOf(sets: readonly ShareSet[]): ShareSet | undefined {
    return sets.find(({ set_id }) => set_id === this.#set_id) ?? sets[0];
  }

  /**
   * Accepts a share of one of the sets. One that was entered before changes nothing.
   *
   * @returns the shares, once there are enough; they are removed from here
   * @throws Problem `invalid`, with the error of the share
   */
  take(text: string, sets: readonly ShareSet[]): { shares: Share[]; set: ShareSet } | undefined {
    const share = readShare(text);
    if (typeof share === 'string') throw refusals[share]();
    const set = sets.find(({ set_id }) => set_id === share.set_id);
    if (!set) throw refusals.foreign();
    if (!set.share_digests.includes(share.digest)) throw refusals.unknown();
    this.#forgetAllBut(sets);
    this.#set_id = set.set_id;
    if (!this.#nonce) this.#nonce = randomUUID();
    const given = this.#given.get(set.set_id) ?? new Map<number, Share>();
    this.#given.set(set.set_id, given.set(share.place, share));
    if (given.size < set.threshold) return undefined;
    this.#given.delete(set.set_id);
    this.reset();
    return { shares: [...given.values()], set };
  }

  /** Removes the shares. */
  reset(): void {
    this.#forgetAllBut([]);
    this.#nonce = '';
    this.#set_id = '';
  }

  #forgetAllBut(sets: readonly ShareSet[]): void {
    for (const [id, given] of this.#given) {
      if (sets.some(({ set_id }) => set_id === id)) continue;
      for (const { bytes } of given.values()) bytes.fill(0);
      this.#given.delete(id);
    }
  }
}

const refused = (detail: string) => (): Problem => invalid('/key', detail);
const refusals = {
  malformed: refused('is not an unseal key of Latchkey: send one of the keys that "latchkey vault init" printed'),
  mistyped: refused('is mistyped: a character is wrong, missing or repeated'),
  foreign: refused('belongs to another vault, or to keys that were replaced'),
  unknown: refused('is none of the keys that were created for this vault'),
};
