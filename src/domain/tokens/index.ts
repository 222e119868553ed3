/** Tokens: what opaque credentials look like, counting the live ones, and ending one by its value. */
export {
  deriveSuccessor,
  familyHandle,
  isAccessToken,
  isCode,
  mintAccessToken,
  mintCode,
  mintRefreshToken,
} from './formats.ts';
export { accessTokenKind, refreshTokenKind } from './kind.ts';
export {
  countLive,
  countLiveTokens,
  endFamilies,
  endJwtAccessTokens,
  endTokenByShortId,
  type LiveTokens,
  type Meant,
  ownedBy,
} from './store.ts';
export { endToken, type RevokedToken, revokeToken, type TokenHandle, tokenHandle } from './tokens.ts';
