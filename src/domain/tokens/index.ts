/** Tokens: what opaque credentials look like, which access tokens stand, counting the live ones, and ending one by its value. */
export {
  deriveSuccessor,
  familyHandle,
  isAccessToken,
  isCode,
  mintAccessToken,
  mintCode,
  mintRefreshToken,
} from './formats.ts';
export {
  accessTokenOwners,
  accessTokenStands,
  countLiveTokens,
  grantLives,
  isCarriedByKey,
  keyCarries,
  type LiveTokens,
} from './store.ts';
export { endToken, type RevokedToken, revokeToken, type TokenHandle, tokenHandle } from './tokens.ts';
