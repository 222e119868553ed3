/** Tokens of Vault's clients: access tokens with an accessor, which can be renewed. */
export { describeVaultToken, noteVaultToken, renewVaultToken, type VaultToken } from './vault-tokens.ts';
