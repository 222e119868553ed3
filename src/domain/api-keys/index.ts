/** API keys: creating, restricting, rotating and revoking them, and verifying them from memory. */
export type { ApiKeyDeps } from './api-keys.ts';
export { type Asked, allowed, type KeyCode, keyCodeKinds, keyCodes, type VerdictKind } from './decide.ts';
export {
  countKeys,
  disableApiKey,
  expireEarlierVersions,
  keyScope,
  revokeApiKey,
  revokeKeysIn,
} from './ending.ts';
export { type KeyEntry, secondsLeft } from './entry.ts';
export { isLiveVersion, stateOf } from './expiry.ts';
export { looksLikeKey } from './format.ts';
export { type KeyRecord, readApiKey } from './key-record.ts';
export { apiKeyKind } from './kind.ts';
export { listEveryKey, listKeyNames, listKeys, listKeysEndingIn } from './list-store.ts';
export {
  changeOwnKey,
  createOwnKey,
  disableOwnKey,
  enableOwnKey,
  getOwnKey,
  listOwnKeyNames,
  listOwnKeys,
  revokeOwnKey,
  rotateOwnKey,
  usageOfOwnKey,
} from './own-keys.ts';
export { missingFrom, type PermissionQuery, PermissionQuerySchema, permissionsIn } from './permission-query.ts';
export { ConfiguredKey, putKey } from './put.ts';
export { limitOfKey, type PresentedVersion } from './rights.ts';
export { apiKeyRoutes } from './routes.ts';
export {
  CreatedKeyView,
  KeyHandle,
  KeyInput,
  KeyParams,
  KeyView,
  OwnKeysQuery,
  RotatedKeyView,
  RotationInput,
  UsageView,
} from './schemas.ts';
export { type KeyScope, liveKeysIn } from './scope-store.ts';
export { type ApiKey, findExpiringKeys, findKey, type KeyRef } from './store.ts';
export type { KeySender } from './unknown-key-throttle.ts';
export { type KeyUse, type KeyVerdict, KeyVerifier } from './verification.ts';
export { viewOf } from './view.ts';
