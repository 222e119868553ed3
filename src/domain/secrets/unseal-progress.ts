import { randomUUID } from 'node:crypto';
import { invalid, type Problem } from '../../platform/http/index.ts';
import type { SealRow } from './seal-store.ts';
import { readShare, type Share } from './shares.ts';

type OfShares = Pick<SealRow, 'set_id' | 'share_digests' | 'threshold'>;

/** The shares that were given to this node so far, in memory alone. A wrong one is refused at once, and takes nothing from the others. */
export class UnsealProgress {
  readonly #shares = new Map<number, Share>();
  #nonce = '';
  #set_id: string | null = null;

  get count(): number {
    return this.#shares.size;
  }

  /** Names one attempt; empty while no share was given. */
  get nonce(): string {
    return this.#nonce;
  }

  /**
   * Takes a share. One that was given before changes nothing.
   *
   * @returns the shares, once they are enough; they are forgotten here
   * @throws Problem `invalid`, saying what is wrong with the share
   */
  take(text: string, row: OfShares): Share[] | undefined {
    const share = readShare(text);
    if (typeof share === 'string') throw refusals[share]();
    if (share.set_id !== row.set_id) throw refusals.foreign();
    if (!row.share_digests?.includes(share.digest)) throw refusals.unknown();
    if (this.#set_id !== row.set_id) this.reset();
    this.#set_id = row.set_id;
    if (!this.#nonce) this.#nonce = randomUUID();
    this.#shares.set(share.place, share);
    if (this.#shares.size < (row.threshold ?? Number.POSITIVE_INFINITY)) return undefined;
    const enough = [...this.#shares.values()];
    this.#shares.clear();
    this.#nonce = '';
    return enough;
  }

  /** Forgets the shares. */
  reset(): void {
    for (const { bytes } of this.#shares.values()) bytes.fill(0);
    this.#shares.clear();
    this.#nonce = '';
  }
}

const refused = (detail: string) => (): Problem => invalid('/key', detail);
const refusals = {
  malformed: refused('is no unseal key of Latchkey: send one of the keys that "latchkey vault init" printed'),
  mistyped: refused('is mistyped: a character is wrong, missing or twice'),
  foreign: refused('belongs to another vault, or to keys that were replaced'),
  unknown: refused('is none of the keys that were made for this vault'),
};
