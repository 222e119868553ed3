/** Digests, sealing and the shape of opaque credentials: they keep promise 1 (no credential is stored readable). */
export {
  base62,
  formatCredential,
  generateCredential,
  parseCredential,
  secretBytes,
  secretLength,
} from './credentials.ts';
export { type Digest, digest, digestText, keyedDigest, sameDigest } from './digest.ts';
export { canVerify, publicKeyProblem } from './public-keys.ts';
export { idAt, pooledRandomBytes } from './random.ts';
export { type Sealed, type SealedPlace, seal, unseal, WrongKeyError } from './sealed.ts';
