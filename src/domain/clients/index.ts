/** Clients: registered applications and services, and their secrets. */
export { type ClientDeps, checkClient, disableClient, putClient } from './clients.ts';
export { isRedirectOrigin } from './cors-origins.ts';
export { type DynamicClient, registerDynamicClient } from './dynamic-registration.ts';
export { clientSecretKind } from './kind.ts';
export { type Provenance, provenanceOf } from './provenance.ts';
export { applicationProblem, redirectProblem } from './redirect-uri-rules.ts';
export { asInput, registrationDefaults, signInOf } from './registration.ts';
export { clientRoutes } from './routes.ts';
export {
  ClientInput,
  ClientView,
  isClientId,
  isKnownRegistrar,
  SecretView,
} from './schemas.ts';
export { SecretUses } from './secret-uses.ts';
export {
  addClientSecret,
  expireClientSecrets,
  isSecretMethod,
  matchesSecret,
  revokeClientSecret,
  type SecretDeps,
} from './secrets.ts';
export { recordDecidedClient, saveDocumentedClient, withdrawDocumentedClient } from './self-registered.ts';
export { findStoredDocument } from './self-registered-store.ts';
export {
  readSelfRegistration,
  redirectsToLoopbackOnly,
  type SelfRegistration,
  SelfRegistrationError,
  storable,
} from './self-registration.ts';
export {
  builtInClientId,
  type Client,
  findClient,
  findOverdueSecrets,
  listClientNames,
  listClients,
  listEveryClient,
  lockClient,
} from './store.ts';
export { WrongSecretThrottle } from './wrong-secret-throttle.ts';
