/** Clients: registered applications and services, and their secrets. */
export {
  asInput,
  type ClientDeps,
  checkClient,
  createClient,
  disableClient,
  putClient,
} from './clients.ts';
export { isRedirectOrigin } from './cors-origins.ts';
export { clientSecretKind } from './kind.ts';
export { clientRoutes } from './routes.ts';
export {
  ClientInput,
  ClientView,
  isClientId,
  SecretInput,
  SecretView,
} from './schemas.ts';
export { SecretGuesses } from './secret-guesses.ts';
export { SecretUses } from './secret-uses.ts';
export {
  addClientSecret,
  findLiveSecret,
  isSecretMethod,
  lapseClientSecrets,
  matchesSecret,
  revokeClientSecret,
  type SecretDeps,
} from './secrets.ts';
export { builtInClientId, type Client, findClient, listClientNames, listEveryClient, lockClient } from './store.ts';
