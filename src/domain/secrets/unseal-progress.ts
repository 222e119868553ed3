import { randomUUID } from 'node:crypto';
import { invalid, type Problem } from '../../platform/http/index.ts';
import type { ShareSet } from './share-sets.ts';
import { readShare, type Share } from './shares.ts';

/** The shares that were given to this node so far, in memory alone. A wrong one is refused at once, and takes nothing from the others. */
export class UnsealProgress {
  /** By their set, and by their place in it. */
  readonly #given = new Map<string, Map<number, Share>>();
  #nonce = '';
  /** Of the latest share. */
  #set_id = '';

  get count(): number {
    return this.#given.get(this.#set_id)?.size ?? 0;
  }

  /** Names one attempt; empty while no share was given. */
  get nonce(): string {
    return this.#nonce;
  }

  /** The set of which shares are given; before the first one the newest. */
  setOf(sets: readonly ShareSet[]): ShareSet | undefined {
    return sets.find(({ set_id }) => set_id === this.#set_id) ?? sets[0];
  }

  /**
   * Takes a share of one of the sets. One that was given before changes nothing.
   *
   * @returns the shares, once they are enough; all are forgotten here
   * @throws Problem `invalid`, saying what is wrong with the share
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

  /** Forgets the shares. */
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
  malformed: refused('is no unseal key of Latchkey: send one of the keys that "latchkey vault init" printed'),
  mistyped: refused('is mistyped: a character is wrong, missing or twice'),
  foreign: refused('belongs to another vault, or to keys that were replaced'),
  unknown: refused('is none of the keys that were made for this vault'),
};
