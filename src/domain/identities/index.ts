/** Identities: accounts of users at foreign issuers. */
export { addIdentity, type IdentityDeps, removeIdentity, unlinkIdentity } from './identities.ts';
export { identityRoutes } from './routes.ts';
export {
  deleteIdentities,
  findIdentity,
  findStandingIdentity,
  type Identity,
  listIdentities,
  type StandingIdentity,
} from './store.ts';
