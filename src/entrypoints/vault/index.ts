/** Vault's HTTP API: its clients read and write the secrets of this installation unchanged. */
export { VaultApi } from './vault-api.ts';
