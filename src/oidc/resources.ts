import {
  type Client,
  errors,
  type KoaContextWithOIDC,
  type ResourceServer as ProviderResourceServer,
} from 'oidc-provider';
import { contains, entitled, intersection } from '../access/index.ts';
import type { KeyEntry } from '../api-keys/index.ts';
import type { ResourceServer, ResourceServers } from '../resource-servers/index.ts';
import { type ClientDeps, type ClientRecord, findClientRecord, type StoreDeps } from './token-store/index.ts';
import { currentUnit } from './token-transaction/index.ts';
import { tokenExchange } from './urns.ts';

/** OpenID Connect's own scopes; every other belongs to a resource server. */
export const identityScopes = ['openid', 'offline_access', 'profile', 'email', 'groups'];

export type ResourceDeps = ClientDeps &
  Pick<StoreDeps, 'now'> & {
    /** The resource server of an identifier; `ResourceServers` remembers them. */
    resourceServers: ResourceServers;
    /** Permission patterns that the roles of a person or client give at a resource server. */
    permissionsOf: (subject_id: string, resource: string) => Promise<string[]>;
  };

/**
 * `getResourceServerInfo`: the resource server with exactly the requested scopes that this client, and where roles are
 * required this person, is entitled to (DESIGN.md §7). oidc-provider itself would limit none of them.
 *
 * @throws InvalidTarget for an unknown one; InvalidScope when a requested scope is given by no requested resource
 */
export function resourceServerInfo(deps: ResourceDeps) {
  return async (ctx: KoaContextWithOIDC, identifier: string, client: Client): Promise<ProviderResourceServer> => {
    const server = await known(deps, identifier);
    const record = await findClientRecord(deps, client.clientId);
    if (!server || !record) throw new errors.InvalidTarget();
    demandProof(ctx, server);
    const key = keyToExchange(ctx);
    const held = key && [...key.permissionsAt(identifier)];
    const mayHave = held ? offered(server, held) : await entitledScopes(deps, ctx, server, record);
    const ofThese = (names: readonly string[]) => (held ? intersection(held, names) : names.filter(mayHave));
    if (isFirstRequest(ctx)) useDefaultScope(ctx, server, ofThese);
    const scopes = requestedScopes(ctx).filter((scope) => mayHave(scope));
    if (isFirstRequest(ctx)) refuseUnknownScopes(ctx, identifier, scopes);
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
 * `defaultResource`: what a request without `resource` means. A code or refresh token for one resource server goes on with
 * it; a client entitled to a single one means that one. Scopes that then belong nowhere are refused, not dropped.
 */
export function defaultResource(deps: ResourceDeps) {
  return async (
    ctx: KoaContextWithOIDC,
    client: Client,
    oneOf?: readonly string[],
  ): Promise<string | readonly string[]> => {
    if (oneOf) return oneOf;
    const record = await findClientRecord(deps, client.clientId);
    const candidates = Object.keys((record && entitlementsOf(ctx, record)) ?? {});
    const others = requestedScopes(ctx).filter((scope) => isForItself(ctx) || !identityScopes.includes(scope));
    const [only] = candidates;
    const wantsResource = others.length > 0 || (requestedScopes(ctx).length === 0 && ctx.oidc.route === 'token');
    if (only && candidates.length === 1 && wantsResource) return only;
    refuseWithoutResource(ctx, candidates, others);
    if (requestedScopes(ctx).length === 0 && ctx.oidc.route !== 'token') setScope(ctx, 'openid');
    return [];
  };
}

/** A service would get a token that is good for nothing, and a scope of some resource server would belong nowhere. */
function refuseWithoutResource(ctx: KoaContextWithOIDC, candidates: string[], scopes: string[]): void {
  if (isForItself(ctx) && candidates.length > 1) throw new errors.InvalidTarget('name the resource this token is for');
  if (scopes.length > 0)
    throw new errors.InvalidScope('requested scope belongs to no requested resource', scopes.join(' '));
}

/** A resource server may demand tokens that are bound to a key of the client (RFC 9449). @throws InvalidDpopProof */
function demandProof(ctx: KoaContextWithOIDC, { dpop_required }: ResourceServer): void {
  if (!dpop_required || ctx.oidc.route !== 'token' || ctx.get('DPoP')) return;
  throw new errors.InvalidDpopProof('this resource server takes DPoP-bound access tokens only: send a DPoP proof');
}

async function known({ resourceServers }: ResourceDeps, identifier: string): Promise<ResourceServer | undefined> {
  const server = await resourceServers.find(identifier);
  return server?.enabled ? server : undefined;
}

/** On behalf of people a client has `resources`; for itself `service_permissions`, which default to them for pure services. */
function entitlementsOf(ctx: KoaContextWithOIDC, record: ClientRecord): Record<string, string[]> {
  if (!isForItself(ctx)) return record.resources;
  const isEmpty = Object.keys(record.service_permissions).length === 0;
  return isEmpty && record.type === 'service' ? record.resources : record.service_permissions;
}

async function entitledScopes(
  { permissionsOf }: ResourceDeps,
  ctx: KoaContextWithOIDC,
  server: ResourceServer,
  record: ClientRecord,
): Promise<(scope: string) => boolean> {
  const direct = entitlementsOf(ctx, record)[server.identifier] ?? [];
  const isOffered = offered(server, direct);
  if (isForItself(ctx)) {
    // A client's roles are only asked where what it was registered with does not suffice: most requests need no read.
    const suffices = direct.length > 0 && requestedScopes(ctx).every(isOffered);
    return suffices ? isOffered : offered(server, [...direct, ...(await permissionsOf(record.id, server.identifier))]);
  }
  const user_id = ctx.oidc.entities.Account?.accountId ?? ctx.oidc.session?.accountId;
  const own = server.assignment_required && user_id ? await permissionsOf(user_id, server.identifier) : undefined;
  return (scope) => isOffered(scope) && (own === undefined || contains(own, [scope]));
}

/** Judges whether a scope is one of this resource server's that a client with these patterns may have. */
export function offered(
  { identifier, permissions }: ResourceServer,
  patterns: string[] = [],
): (scope: string) => boolean {
  const held = patterns.map((pattern) => ({ resource: identifier, pattern }));
  const declared = permissions.map(({ name }) => name);
  return (scope) =>
    !identityScopes.includes(scope) &&
    entitled(held, identifier, scope) &&
    (contains(declared, [scope]) || declared.some((name) => contains([scope], [name])));
}

function requestedScopes(ctx: KoaContextWithOIDC): string[] {
  const { AuthorizationCode, DeviceCode, RefreshToken } = ctx.oidc.entities;
  const asked = ctx.oidc.params?.scope ?? (AuthorizationCode ?? DeviceCode ?? RefreshToken)?.scope;
  return typeof asked === 'string' ? asked.split(' ').filter(Boolean) : [];
}

function setScope(ctx: KoaContextWithOIDC, scope: string): void {
  if (ctx.oidc.params) ctx.oidc.params.scope = scope;
}

/** A client asking for itself, or whoever has a key; no person signs in, so OpenID Connect's scopes mean nothing. */
function isForItself(ctx: KoaContextWithOIDC): boolean {
  return ctx.oidc.params?.grant_type === 'client_credentials' || isExchange(ctx);
}

function isExchange(ctx: KoaContextWithOIDC): boolean {
  return ctx.oidc.params?.grant_type === tokenExchange;
}

/** The API key that is exchanged: it alone decides what its token may, its client nothing. */
function keyToExchange(ctx: KoaContextWithOIDC): KeyEntry | undefined {
  const { found } = currentUnit().presentedKey ?? {};
  return isExchange(ctx) && found && !('code' in found) ? found : undefined;
}

/** Where a request names its scopes itself; a code or refresh token brings those that were granted. */
function isFirstRequest(ctx: KoaContextWithOIDC): boolean {
  return ctx.oidc.route !== 'token' || isForItself(ctx);
}

/**
 * RFC 6749 §3.3: a request without `scope` means the default ones, or all it may have where none is marked default.
 *
 * @param ofThese what of some permissions it may have
 */
function useDefaultScope(
  ctx: KoaContextWithOIDC,
  { permissions }: ResourceServer,
  ofThese: (names: readonly string[]) => readonly string[],
): void {
  if (requestedScopes(ctx).length > 0) return;
  const marked = ofThese(permissions.filter(({ is_default }) => is_default).map(({ name }) => name));
  const scope = (marked.length > 0 ? marked : ofThese(permissions.map(({ name }) => name))).join(' ');
  if (!scope) throw new errors.InvalidScope('no scope was requested and there is none to be had here', '');
  setScope(ctx, scope);
}

function refuseUnknownScopes(ctx: KoaContextWithOIDC, identifier: string, given: string[]): void {
  const { resource } = ctx.oidc.params ?? {};
  const requested = Array.isArray(resource) ? resource : [resource];
  const isLast = requested.at(-1) === identifier;
  if (!isLast) return;
  const elsewhere = Object.values(ctx.oidc.resourceServers ?? {}).flatMap(({ scopes }) => [...scopes]);
  const all = new Set([...(isForItself(ctx) ? [] : identityScopes), ...given, ...elsewhere]);
  const refused = requestedScopes(ctx).filter((scope) => !all.has(scope));
  if (refused.length > 0) throw new errors.InvalidScope('requested scope is not allowed', refused.join(' '));
}
