/** Policies of Vault: roles with permissions at the store of secrets, with their original text. */
export { findPolicy, listPolicies, type Policy, putPolicy, removePolicy } from './vault-policies.ts';
