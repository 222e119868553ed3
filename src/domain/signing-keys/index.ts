/** Signing keys for tokens: created, published, used, retired; nodes notice rotations within a second. */

export { signingKeyKind } from './kind.ts';
export { signingKeyRoutes } from './routes.ts';
export { SigningKeyView } from './schemas.ts';
export { defaultSigningAlg, longestTokenSeconds, type SigningAlg, signingAlgs } from './signing-key.ts';
export {
  ensureSigningKeys,
  type RotateSigningKeyInput,
  rotateSigningKey,
  type SigningKeysDeps,
} from './signing-keys.ts';
export { listSigningKeys, loadSigningKeys, type SigningKey, type SigningKeyState, stateOf } from './store.ts';
