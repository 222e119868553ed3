import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { ExternalSigningKey, type JWK } from 'oidc-provider';
import type { SigningKey } from '../signing-keys/index.ts';

/** What `crypto.sign` needs to know: the digest, which Ed25519 brings itself. */
const digests: Readonly<Record<string, string | null>> = { ES256: 'sha256', EdDSA: null };

/** A key as oidc-provider is given it. RSA signatures take long enough to be worth another thread. */
export function asProviderKey(key: SigningKey): JWK | ExternalSigningKey {
  return key.alg in digests ? new DirectSigningKey(key) : key.private_jwk;
}

/**
 * Signs at once, on this thread: an elliptic-curve signature takes less time than WebCrypto, which oidc-provider uses itself,
 * needs to hand it to another thread and back.
 */
class DirectSigningKey extends ExternalSigningKey {
  readonly #kid: string;
  readonly #alg: string;
  readonly #private: KeyObject;
  readonly #public: KeyObject;

  constructor({ kid, alg, private_jwk }: SigningKey) {
    super();
    this.#kid = kid;
    this.#alg = alg;
    this.#private = createPrivateKey({ key: private_jwk, format: 'jwk' });
    this.#public = createPublicKey(this.#private);
  }

  override get kid(): string {
    return this.#kid;
  }

  override get alg(): string {
    return this.#alg;
  }

  /** For verifying what it signed (`id_token_hint`), and for publishing. */
  override keyObject(): KeyObject {
    return this.#public;
  }

  override sign(data: Uint8Array): Buffer {
    // JOSE wants the two numbers of an ECDSA signature side by side (RFC 7518 §3.4).
    return sign(digests[this.#alg], data, { key: this.#private, dsaEncoding: 'ieee-p1363' });
  }
}
