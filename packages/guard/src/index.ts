/** Guard: protects the routes of an API, in the API's process. It imports nothing of the server. */
export { expressGuard, fastifyGuard, koaGuard, nodeGuard } from './adapters.ts';
export { createGuard, type Guard, type GuardedRequest, type GuardOptions, type Outcome } from './guard.ts';
export type { Identity, Need } from './identity.ts';
export { expressMetadata, fastifyMetadata, koaMetadata, nodeMetadata } from './metadata-adapters.ts';
export { allows } from './permissions.ts';
export type { MetadataOptions, ResourceMetadata } from './resource-metadata.ts';
