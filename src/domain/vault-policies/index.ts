/** Policies of Vault: roles that give permissions at the store of secrets, with the text that they were written as. */
export { findPolicy, listPolicies, type Policy, putPolicy, removePolicy } from './vault-policies.ts';
