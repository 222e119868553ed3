/** Credentials: what all kinds of them have in common, and the list of all of them. */
export { findCredential, findKind, type InventoryDeps, lockCredential } from './inventory.ts';
export {
  type CredentialDeps,
  type CredentialKind,
  digestKey,
  type FindingDeps,
  inventoryOf,
  type Key,
  type Reach,
  textKey,
  uuidKey,
} from './kind.ts';
export { dayMs, expiryByRisk, Risk, riskDays } from './risk.ts';
export { credentialRoutes } from './routes.ts';
export type { Credential } from './schemas.ts';
