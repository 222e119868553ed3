import type { ConsentedScopes } from '../../../../db/schema.ts';
import { isSensitiveScope, type ResourceServer, type ResourceServers } from '../../../domain/resource-servers/index.ts';
import type { ClientRecord } from './reads.ts';

export type TrustDeps = {
  /** The resource server of an identifier; `ResourceServers` caches them. */
  resourceServers: ResourceServers;
};

/**
 * The scopes that a client has without consent. Only a first-party client has any, and never those of a built-in API (the admin API), nor
 * those that are marked sensitive or overlap one that is: following a link must not be enough for these.
 */
export async function trustedScopes(
  { resourceServers }: TrustDeps,
  client: Pick<ClientRecord, 'first_party'> | undefined,
  { openid, resources }: ConsentedScopes,
): Promise<ConsentedScopes> {
  if (!client?.first_party) return { openid: [], resources: {} };
  const entries = await Promise.all(
    Object.entries(resources).map(async ([identifier, scopes]) => {
      const server = await resourceServers.find(identifier);
      return [identifier, server ? scopes.filter((scope) => !needsConsent(server, scope)) : []];
    }),
  );
  return { openid, resources: Object.fromEntries(entries) };
}

function needsConsent({ built_in, permissions }: ResourceServer, scope: string): boolean {
  return built_in || isSensitiveScope(permissions, scope);
}
