import {
  type Client,
  errors,
  type KoaContextWithOIDC,
  type ResourceServer as ProviderResourceServer,
} from 'oidc-provider';
import type { ResourceServer } from '../../../domain/resource-servers/index.ts';
import { mustBeAuthenticatedFor } from '../interactions/assurance.ts';
import {
  type ClientDeps,
  type ClientRecord,
  findClientRecord,
  type StoreDeps,
  type TrustDeps,
} from '../store/index.ts';
import { mustBeWithinBounds } from './request-bounds.ts';
import {
  assertedUser,
  dropForeignIdentityScopes,
  entitlementsOf,
  identityScopes,
  isFirstRequest,
  isForItself,
  isSelfRegistered,
  requestedResources,
  requestedScopes,
  setScope,
} from './requested-scopes.ts';
import { declared, defaultScopes, offered, rightsAt, scopesFor } from './scopes-of-resource.ts';

export type ResourceDeps = ClientDeps &
  TrustDeps &
  Pick<StoreDeps, 'now'> & {
    /** The permissions that the roles of a user or client have at a resource server. */
    permissionsOf: (subject_id: string, resource: string) => Promise<string[]>;
  };

/**
 * `getResourceServerInfo`: the resource server with exactly the scopes of it that this request gets: requested ones that this client, and
 * this user if roles are required, is entitled to (DESIGN.md §7). oidc-provider itself would limit none of them.
 *
 * @throws InvalidTarget for an unknown one; InvalidScope when none of its scopes is granted, or a requested scope belongs nowhere
 */
export function resourceServerInfo(deps: ResourceDeps) {
  return async (ctx: KoaContextWithOIDC, identifier: string, client: Client): Promise<ProviderResourceServer> => {
    mustBeWithinBounds(ctx);
    const server = await known(deps, identifier);
    const record = await findClientRecord(deps, client.clientId);
    // Other spellings were resolved before (resource-spelling.ts).
    if (!server || !record || server.identifier !== identifier) throw new errors.InvalidTarget();
    demandProof(ctx, server);
    mustBeAuthenticatedFor(ctx, server);
    dropForeignIdentityScopes(ctx, record);
    if (isFirstRequest(ctx) && !requestedScopes(ctx).some(declared(server))) await refuseUnknownAlone(deps, ctx);
    const scopes = scopesFor(ctx, server, await rightsAt(deps, ctx, server, record));
    const isLast = requestedResources(ctx).at(-1) === identifier;
    if (isLast && isFirstRequest(ctx)) await settleOtherScopes(deps, ctx, { record, given: scopes });
    return {
      scope: scopes.join(' '),
      audience: identifier,
      accessTokenFormat: server.access_token_format,
      ...(server.access_token_ttl_seconds ? { accessTokenTTL: server.access_token_ttl_seconds } : {}),
      jwt: { sign: { alg: (server.access_token_signing_alg ?? 'ES256') as 'ES256' } },
    };
  };
}

/**
 * `defaultResource`: the resource of a request without `resource`. For a code or refresh token of one resource server it is that one; for a
 * client that is entitled to a single one it is that one.
 */
export function defaultResource(deps: ResourceDeps) {
  return async (
    ctx: KoaContextWithOIDC,
    client: Client,
    oneOf?: readonly string[],
  ): Promise<string | readonly string[]> => {
    mustBeWithinBounds(ctx);
    if (oneOf) return oneOf;
    const record = await findClientRecord(deps, client.clientId);
    const [only, ...others] = Object.keys((record && entitlementsOf(ctx, record)) ?? {});
    const single = others.length === 0 ? only : undefined;
    if (isForItself(ctx)) {
      if (single) return single;
      throw new errors.InvalidTarget('name the resource this token is for');
    }
    if (!record) return [];
    if (isSelfRegistered(record)) return openResource(ctx, record, single);
    return forPeople(deps, ctx, { record, single });
  };
}

/** A client that no operator registered gets only open scopes of an API, never a sign-in alone. @throws InvalidTarget */
function openResource(ctx: KoaContextWithOIDC, record: ClientRecord, single: string | undefined): string {
  if (single === undefined)
    throw new errors.InvalidTarget('name the resource that this request is for: an API that is open to this client');
  dropForeignIdentityScopes(ctx, record);
  return single;
}

type Candidate = { record: ClientRecord; single: string | undefined };

async function forPeople(
  deps: ResourceDeps,
  ctx: KoaContextWithOIDC,
  { record, single }: Candidate,
): Promise<string | readonly string[]> {
  const scopes = await meaningfulScopes(deps, ctx, record);
  const ofResources = scopes.filter((scope) => !identityScopes.includes(scope));
  if (ofResources.length > 0 && single) return single;
  if (ofResources.length > 0) throw belongsNowhere(ofResources);
  if (ctx.oidc.route !== 'token') useIdentityScopes(ctx, scopes);
  return [];
}

/**
 * `rotateRefreshToken`: always. A refresh with OpenID Connect scopes only still requests a token for its resource server: it gets the
 * default scopes of that, as far as they were granted.
 */
export function rotatesRefreshToken(deps: ResourceDeps) {
  return async (ctx: KoaContextWithOIDC): Promise<boolean> => {
    const { client, entities } = ctx.oidc;
    const { RefreshToken } = entities;
    const [identifier, ...others] = [ctx.oidc.params?.resource ?? RefreshToken?.resource ?? []].flat().map(String);
    if (!client || !RefreshToken || !ctx.oidc.params?.scope || !identifier || others.length > 0) return true;
    const server = await known(deps, identifier);
    const record = await findClientRecord(deps, client.clientId);
    if (!server || !record || requestedScopes(ctx).some(declared(server))) return true;
    const { ofThese } = await rightsAt(deps, ctx, server, record);
    const granted = defaultScopes(server, ofThese).filter((scope) => RefreshToken.scopes.has(scope));
    setScope(ctx, [...requestedScopes(ctx), ...granted]);
    return true;
  };
}

/** A resource server may require tokens that are bound to a key of the client (RFC 9449). @throws InvalidDpopProof */
function demandProof(ctx: KoaContextWithOIDC, { dpop_required }: ResourceServer): void {
  if (!dpop_required || ctx.oidc.route !== 'token' || ctx.get('DPoP')) return;
  throw new errors.InvalidDpopProof('this resource server takes DPoP-bound access tokens only: send a DPoP proof');
}

async function known({ resourceServers }: ResourceDeps, identifier: string): Promise<ResourceServer | undefined> {
  const server = await resourceServers.find(identifier);
  return server?.enabled ? server : undefined;
}

/** Unknown scopes are ignored beside a known one; a request with unknown scopes only is refused. @throws InvalidScope */
async function refuseUnknownAlone(deps: ResourceDeps, ctx: KoaContextWithOIDC): Promise<void> {
  const requested = requestedScopes(ctx);
  if (requested.length === 0 || requested.some((scope) => identityScopes.includes(scope))) return;
  const judges = (await requestedServers(deps, ctx)).map(declared);
  if (requested.some((scope) => judges.some((isDeclared) => isDeclared(scope)))) return;
  throw new errors.InvalidScope('requested scope is not allowed', requested.join(' '));
}

async function requestedServers(deps: ResourceDeps, ctx: KoaContextWithOIDC): Promise<ResourceServer[]> {
  const servers = await Promise.all(requestedResources(ctx).map((identifier) => known(deps, identifier)));
  return servers.filter((server) => server !== undefined);
}

type Settled = { record: ClientRecord; given: readonly string[] };

/**
 * Checks the requested scopes that no requested resource server has. A service is refused; in a request for a user those that are unknown
 * for this client are ignored (OpenID Connect Core §3.1.2.1), and so are those that only the user's roles do not allow.
 *
 * @throws InvalidScope
 */
async function settleOtherScopes(
  deps: ResourceDeps,
  ctx: KoaContextWithOIDC,
  { record, given }: Settled,
): Promise<void> {
  const elsewhere = Object.values(ctx.oidc.resourceServers ?? {}).flatMap(({ scopes }) => [...scopes]);
  const had = new Set([...(isForItself(ctx) ? [] : identityScopes), ...given, ...elsewhere]);
  const others = requestedScopes(ctx).filter((scope) => !had.has(scope));
  if (others.length === 0) return;
  // Scopes of an assertion that cannot be granted are left out; those of its request are checked.
  if (assertedUser(ctx)) return setScope(ctx, [...given]);
  if (isForItself(ctx)) throw new errors.InvalidScope('requested scope is not allowed', others.join(' '));
  // A client for many servers requests the scopes that it finds published.
  if (!isSelfRegistered(record)) await refuseWithheld(deps, ctx, record, others);
  setScope(
    ctx,
    requestedScopes(ctx).filter((scope) => had.has(scope)),
  );
}

/** @throws InvalidScope: the client may not request one of these scopes, or no requested resource has it */
async function refuseWithheld(
  deps: ResourceDeps,
  ctx: KoaContextWithOIDC,
  record: ClientRecord,
  others: readonly string[],
): Promise<void> {
  const servers = await requestedServers(deps, ctx);
  const withheld = servers.map((server) => offered(server, record.resources[server.identifier]));
  const open = others.filter((scope) => !withheld.some((isOffered) => isOffered(scope)));
  const unentitled = open.filter((scope) => servers.some((server) => declared(server)(scope)));
  if (unentitled.length > 0) throw new errors.InvalidScope('requested scope is not allowed', unentitled.join(' '));
  const isKnown = await scopesKnownTo(deps, record);
  const misplaced = open.filter(isKnown);
  if (misplaced.length > 0) throw belongsNowhere(misplaced);
}

/** Returns whether a scope belongs to one of the resource servers that this client is entitled to. */
async function scopesKnownTo(deps: ResourceDeps, { resources }: ClientRecord): Promise<(scope: string) => boolean> {
  const servers = await Promise.all(Object.keys(resources).map((identifier) => known(deps, identifier)));
  const judges = servers.filter((server) => server !== undefined).map(declared);
  return (scope) => judges.some((isDeclared) => isDeclared(scope));
}

/** The scopes of a request that this client knows. */
async function meaningfulScopes(deps: ResourceDeps, ctx: KoaContextWithOIDC, record: ClientRecord): Promise<string[]> {
  const requested = requestedScopes(ctx);
  if (requested.every((scope) => identityScopes.includes(scope))) return requested;
  const isKnown = await scopesKnownTo(deps, record);
  return requested.filter((scope) => identityScopes.includes(scope) || isKnown(scope));
}

function belongsNowhere(scopes: readonly string[]): Error {
  return new errors.InvalidScope('requested scope belongs to no requested resource', scopes.join(' '));
}

/** A request without a scope is a sign-in only. @throws InvalidScope: it names scopes, and none is known */
function useIdentityScopes(ctx: KoaContextWithOIDC, scopes: readonly string[]): void {
  const requested = requestedScopes(ctx);
  if (scopes.length === 0 && requested.length > 0)
    throw new errors.InvalidScope('requested scope is not allowed', requested.join(' '));
  setScope(ctx, requested.length === 0 ? ['openid'] : scopes);
}
