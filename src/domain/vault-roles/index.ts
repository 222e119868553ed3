/** Roles of AppRole, which are clients; their secret ids; and wrapped responses. */
export { secretIdKind } from './kind.ts';
export {
  createSecretId,
  findSecretIdByAccessor,
  listSecretIds,
  looksLikeSecretId,
  revokeSecretId,
  type SecretId,
  takeSecretId,
} from './secret-ids.ts';
export {
  findVaultRole,
  listVaultRoles,
  putVaultRole,
  removeVaultRole,
  type VaultRole,
  type VaultRoleDeps,
} from './vault-roles.ts';
export { describeWrapped, findWrappedBy, revokeWrapped, rewrap, unwrap, type Wrapped, wrap } from './wrapping.ts';
