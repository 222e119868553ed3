/** Clients: registered applications and services, and their secrets. */

export {
  addClientSecret,
  type ClientDeps,
  createSecret,
  disableClient,
  matchesSecret,
  type PutClientResult,
  putClient,
  typeOf,
} from './clients.ts';
export { ClientInput, clientExtensions, Lifetimes } from './schemas.ts';
export { type Client, type ClientSecret, exportClients, findClient, listClients } from './store.ts';
