/** Secrets: the encrypted, versioned store of values that services read. */

export { SecretChanges } from './changes.ts';
export { changeSecretDefaults, secretDefaults, usualVersions } from './defaults.ts';
export type { SecretsDeps } from './deps.ts';
export { PartName } from './generated-parts.ts';
export { listFolder, mayList } from './listing.ts';
export {
  pathProblem,
  permissionFor,
  rolesPermission,
  type SecretVerb,
  sealPermission,
  secretsPermissions,
  secretVerbs,
  tokensPermission,
} from './paths.ts';
export { type ReadVersion, readSecret } from './reading.ts';
export { SecretReads } from './reads.ts';
export type { NewKeys, RekeyState } from './rekey.ts';
export { endRestoredVersions, removeRestoredSecret } from './restored.ts';
export { mustAllow, type SecretCaller, type SecretRights, secretRightsOf, secretsAudience } from './rights.ts';
export { secretRoutes } from './routes.ts';
export type { SecretSettings } from './schemas.ts';
export { auditHash } from './searching.ts';
export { describeSecret, putSecretSettings, removeSecret, writeSecret } from './secrets.ts';
export type { SecretRecord, Version } from './store.ts';
export { describeTerm, rewrapSecrets, rotateTerm } from './terms.ts';
export type { SecretData } from './values.ts';
export { Vault } from './vault.ts';
export { deleteVersions, destroyVersions, undeleteVersions } from './versions.ts';
