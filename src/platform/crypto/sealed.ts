import { createCipheriv, createDecipheriv, type KeyObject, randomBytes } from 'node:crypto';
import { digest } from './digest.ts';

declare const sealedBrand: unique symbol;

/** Encrypted bytes: version ‖ key id ‖ nonce ‖ tag ‖ ciphertext. */
export type Sealed = Buffer & { readonly [sealedBrand]: true };

/** Where a sealed value is stored; after a move to another table, column or row it cannot be opened. */
export type SealedPlace = readonly [table: string, column: string, row: string];

/** The sealed value was made under another key than the one given. */
export class WrongKeyError extends Error {
  override name = 'WrongKeyError';
}

const version = 1;
const keyIdBytes = 4;
const nonceBytes = 12;
const tagBytes = 16;
const headerBytes = 1 + keyIdBytes;

/**
 * Encrypts with AES-256-GCM; the place is authenticated with it.
 *
 * @param key 32 bytes, imported once: with a Buffer each operation takes four times as long (bench: docs/performance.md)
 */
export function seal(key: KeyObject, place: SealedPlace, plaintext: string | Buffer): Sealed {
  const nonce = randomBytes(nonceBytes);
  const header = Buffer.concat([Buffer.of(version), keyId(key)]);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.concat([header, additionalData(place)]));
  const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  return Buffer.concat([header, nonce, cipher.getAuthTag(), ciphertext]) as Sealed;
}

/**
 * Decrypts what `seal` made for the same place.
 *
 * @throws WrongKeyError when it was sealed under another key
 * @throws Error when it was altered or moved
 */
export function unseal(key: KeyObject, place: SealedPlace, sealed: Sealed): Buffer {
  const header = sealed.subarray(0, headerBytes);
  if (header[0] !== version) throw new Error('sealed value of an unknown version');
  if (!header.subarray(1).equals(keyId(key))) throw new WrongKeyError('sealed under another key');
  const nonce = sealed.subarray(headerBytes, headerBytes + nonceBytes);
  const tag = sealed.subarray(headerBytes + nonceBytes, headerBytes + nonceBytes + tagBytes);
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes })
    .setAAD(Buffer.concat([header, additionalData(place)]))
    .setAuthTag(tag);
  const opened = decipher.update(sealed.subarray(headerBytes + nonceBytes + tagBytes));
  // In this mode it is empty; a copy of the plaintext would be one that is never erased.
  decipher.final();
  return opened;
}

const keyIds = new WeakMap<KeyObject, Buffer>();

function keyId(key: KeyObject): Buffer {
  const known = keyIds.get(key);
  if (known) return known;
  const exported = key.export();
  const named = Buffer.concat([Buffer.from('latchkey key id'), exported]);
  const id = digest(named).subarray(0, keyIdBytes);
  exported.fill(0);
  named.fill(0);
  keyIds.set(key, id);
  return id;
}

function additionalData(place: SealedPlace): Buffer {
  return Buffer.from(JSON.stringify(place));
}
