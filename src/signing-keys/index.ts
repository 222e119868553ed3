/** The keys that sign tokens: made, published, used, retired; nodes notice each other's rotations within a second. */
export { signingAlgs, type SigningAlg } from './signing-key.ts';
export { ensureSigningKeys, rotateSigningKey, type RotateSigningKeyInput, type SigningKeysDeps } from './signing-keys.ts';
export { loadSigningKeys, listSigningKeys, type SigningKey, type SigningKeyState, stateOf } from './store.ts';
