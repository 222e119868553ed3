/** Tokens of Vault's clients: access tokens with an accessor, which can be renewed, and can create others. */
export { type ChildToken, createChildToken } from './children.ts';
export { findTokenRole, listTokenRoles, putTokenRole, removeTokenRole } from './token-roles.ts';
export {
  describeVaultToken,
  type FoundByAccessor,
  findParent,
  findTokenByAccessor,
  listTokenAccessors,
  noteVaultToken,
  renewVaultToken,
  revokeAndOrphan,
  revokeVaultToken,
  type TokenLimits,
  takeTokenUse,
  type VaultToken,
} from './vault-tokens.ts';
