/** Tokens of Vault's clients: access tokens with an accessor, which can be renewed, and can make others. */
export {
  describeVaultToken,
  type FoundByAccessor,
  findParent,
  findTokenByAccessor,
  listTokenAccessors,
  noteVaultToken,
  renewVaultToken,
  revokeVaultToken,
  type TokenLimits,
  takeTokenUse,
  type VaultToken,
} from './vault-tokens.ts';
