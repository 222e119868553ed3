import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { z } from 'zod';

const KeySet = z.object({ public_keys: z.array(z.object({ key_identifier: z.string(), key: z.string() })).max(100) });

const keptMs = 3_600_000;
// An unknown id causes a new fetch, but no more often than this: ids are easily made up.
const soonestMs = 60_000;

export type ScannerKeysOptions = { url: string; fetch: (url: string) => Promise<Response>; now: () => Date };

/** The public keys with which a scanner signs its reports, fetched from its URL and cached for an hour. */
export class ScannerKeys {
  readonly #options: ScannerKeysOptions;
  #keys = new Map<string, KeyObject>();
  #fetchedAt = Number.NEGATIVE_INFINITY;
  #triedAt = Number.NEGATIVE_INFINITY;
  #fetching: Promise<void> | undefined;

  constructor(options: ScannerKeysOptions) {
    this.#options = options;
  }

  /**
   * Whether a body was signed by the scanner: ECDSA on P-256 with SHA-256, DER, base64.
   *
   * @throws the keys cannot be fetched, and none are known
   */
  async signed(body: string, { id, signature }: { id: string; signature: string }): Promise<boolean> {
    const key = await this.#find(id);
    return key !== undefined && verify('sha256', Buffer.from(body), key, Buffer.from(signature, 'base64'));
  }

  async #find(id: string): Promise<KeyObject | undefined> {
    const now = this.#options.now().getTime();
    const isWanted = !this.#keys.has(id) || now - this.#fetchedAt > keptMs;
    if (isWanted && (now - this.#triedAt > soonestMs || this.#keys.size === 0)) {
      this.#triedAt = now;
      this.#fetching ??= this.#fetch().finally(() => {
        this.#fetching = undefined;
      });
    }
    await this.#fetching;
    return this.#keys.get(id);
  }

  async #fetch(): Promise<void> {
    const { url, fetch, now } = this.#options;
    try {
      const response = await fetch(url);
      const { public_keys } = KeySet.parse(await response.json());
      const keys = public_keys.map(({ key_identifier, key }) => [key_identifier, createPublicKey(key)] as const);
      this.#keys = new Map(keys.filter(([, key]) => key.asymmetricKeyDetails?.namedCurve === 'prime256v1'));
      this.#fetchedAt = now().getTime();
    } catch (error) {
      if (this.#keys.size === 0) throw error;
    }
  }
}
