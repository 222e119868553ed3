/** The storage of oidc-provider's models: reads joined and coalesced, writes recorded into the request's unit of work. */

export { newAccessToken } from './access-token-model.ts';
export { tokenStore } from './adapter.ts';
export {
  type ClientDeps,
  findClientRecord,
  type KnownClients,
  knownClients,
  readClientRecord,
} from './client-model.ts';
export type { CodeDeps } from './code-model.ts';
export { effectiveScopes } from './effective-scopes.ts';
export { grantSource } from './grant-source.ts';
export { IssuedCodes } from './issued-codes.ts';
export type { Payload } from './model-store.ts';
export type { StoreDeps } from './models.ts';
export { Reader } from './reader.ts';
export {
  type AccessTokenRecord,
  type ClientRecord,
  type GrantRecord,
  readAccessToken,
  readGroups,
  readJwtAccessToken,
  readUser,
  type UserRecord,
} from './reads.ts';
export { type TrustDeps, trustedScopes } from './trusted-scopes.ts';
export { isFirstUse } from './used-ids.ts';
