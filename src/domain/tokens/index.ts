/** Tokens: the formats of opaque credentials, counting active ones, and revoking one by its value. */
export {
  deriveSuccessor,
  familyHandle,
  generateAccessToken,
  generateCode,
  generateRefreshToken,
  isAccessToken,
  isCode,
} from './formats.ts';
export { accessTokenKind, reachOfToken, refreshTokenKind } from './kind.ts';
export {
  countLive,
  countLiveTokens,
  type LiveTokens,
  type Meant,
  ownedBy,
  revokeFamilies,
  revokeJwtAccessTokens,
  revokeTokenByShortId,
} from './store.ts';
export { type RevokedToken, revokeToken, revokeTokenByHandle, type TokenHandle } from './tokens.ts';
