/** The root key, and the server keys sealed under it. */
export { hasRootKey, rootKeyFromFolder } from './root-key.ts';
export { openForProvider, sealForProvider } from './sealed-for-provider.ts';
export { openJob, sealJob } from './sealed-jobs.ts';
export { type KeyPurpose, openServerKeys, type ServerKey, ServerKeys } from './server-keys.ts';
