/** Resource servers: protected APIs, their audience, scopes, token format and lifetime. */

export { asInput } from './desired-state.ts';
export { ResourceServers } from './known.ts';
export { findIssuer, moveResourceServer } from './moving.ts';
export { isSensitiveScope, overlapping } from './overlap.ts';
export { disableResourceServer, putResourceServer } from './resource-servers.ts';
export { resourceServerRoutes } from './routes.ts';
export { ResourceServerInput, ResourceServerView } from './schemas.ts';
export {
  findResourceServer,
  listBuiltInIdentifiers,
  listResourceServers,
  listResourceServersFrom,
  listScopesOfOpenApis,
  type Permission,
  type ResourceServer,
} from './store.ts';
