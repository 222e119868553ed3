/** Tokens of Vault's clients: access tokens with an accessor, which can be renewed, and can create others. */
export { type ChildToken, createChildToken } from './children.ts';
export { accessorOf, type FoundByAccessor, type VaultToken } from './store.ts';
export { findTokenRole, listTokenRoles, putTokenRole, removeTokenRole } from './token-roles.ts';
export {
  describeVaultToken,
  findParent,
  findTokenByAccessor,
  listTokenAccessors,
  noteVaultToken,
  renewVaultToken,
  revokeAndOrphan,
  revokeVaultToken,
  type TokenLimits,
  takeTokenUse,
} from './vault-tokens.ts';
