import { LRUCache } from 'lru-cache';
import { errors, type KoaContextWithOIDC } from 'oidc-provider';
import { intersection, PatternSet } from '../../../domain/access/index.ts';
import type { KeyEntry } from '../../../domain/api-keys/index.ts';
import { isSensitiveScope, type ResourceServer } from '../../../domain/resource-servers/index.ts';
import type { ClientRecord } from '../store/index.ts';
import { currentUnit } from '../unit-of-work/index.ts';
import {
  assertedUser,
  entitlementsOf,
  identityScopes,
  isExchange,
  isFirstRequest,
  isForItself,
  requestedScopes,
  setScope,
} from './requested-scopes.ts';

/** The scopes that a request may get at a resource server. */
export type Rights = {
  mayHave: (scope: string) => boolean;
  /** Which of some permissions are allowed; for a wildcard, the part of it that is held. */
  ofThese: (names: readonly string[]) => readonly string[];
};

type Permissions = { permissionsOf: (subject_id: string, resource: string) => Promise<string[]> };

/** The current scopes of the client, its key or its user at this resource server. */
export async function rightsAt(
  deps: Permissions,
  ctx: KoaContextWithOIDC,
  server: ResourceServer,
  record: ClientRecord,
): Promise<Rights> {
  const key = keyToExchange(ctx);
  if (key) {
    const held = [...key.permissionsAt(server.identifier)];
    return { mayHave: offered(server, held), ofThese: (names) => intersection(held, names) };
  }
  const mayHave = await entitledScopes(deps, ctx, server, record);
  return { mayHave, ofThese: (names) => names.filter(mayHave) };
}

/**
 * The scopes of this resource server that a request gets: of those it names the ones it may have; where it names none of this
 * server's (OpenID Connect's own aside), the server's default scopes. Naming one that it may not have never means the defaults.
 *
 * @throws InvalidScope: there is none, because a token for a server without any of its scopes would be misunderstood
 */
export function scopesFor(ctx: KoaContextWithOIDC, server: ResourceServer, { mayHave, ofThese }: Rights): string[] {
  const named = requestedScopes(ctx).filter(declared(server));
  if (named.length === 0 && isFirstRequest(ctx)) return addDefaultScopes(ctx, server, ofThese);
  const scopes = named.filter(mayHave);
  if (scopes.length > 0) return scopes;
  throw new errors.InvalidScope(
    named.length > 0 ? 'requested scope is not allowed' : `no scope of ${server.identifier} was granted`,
    named.join(' '),
  );
}

/** RFC 6749 §3.3: a request that names no scope of a server means its default ones. */
function addDefaultScopes(ctx: KoaContextWithOIDC, server: ResourceServer, ofThese: Rights['ofThese']): string[] {
  const isOwn = isForItself(ctx) && !assertedUser(ctx);
  const scopes = isOwn ? scopesForItself(server, ofThese) : defaultScopes(server, ofThese);
  if (scopes.length === 0)
    throw new errors.InvalidScope(
      `name a scope of ${server.identifier}: it has no default scope that the client is entitled to`,
      '',
    );
  setScope(ctx, [...requestedScopes(ctx), ...scopes]);
  return [...scopes];
}

/** The scopes of a service or key that names none: the default scopes it may have, or else all that it has itself. */
function scopesForItself(server: ResourceServer, ofThese: Rights['ofThese']): readonly string[] {
  const marked = ofThese(namesOf(server.permissions.filter(({ is_default }) => is_default)));
  return marked.length > 0 ? marked : ofThese(namesOf(server.permissions));
}

/** The default scopes of a server that a client may request from users; if none is marked default, all that are not sensitive. */
export function defaultScopes({ permissions }: ResourceServer, ofThese: Rights['ofThese']): readonly string[] {
  const marked = permissions.filter(({ is_default }) => is_default);
  if (marked.length > 0) return ofThese(namesOf(marked));
  return ofThese(namesOf(permissions).filter((name) => !isSensitiveScope(permissions, name)));
}

const namesOf = (permissions: ResourceServer['permissions']) => permissions.map(({ name }) => name);

/** The API key that is exchanged: it alone decides the scopes of its token, not its client. */
function keyToExchange(ctx: KoaContextWithOIDC): KeyEntry | undefined {
  const { found } = currentUnit().presentedKey ?? {};
  return isExchange(ctx) && found && !('code' in found) ? found : undefined;
}

async function entitledScopes(
  { permissionsOf }: Permissions,
  ctx: KoaContextWithOIDC,
  server: ResourceServer,
  record: ClientRecord,
): Promise<(scope: string) => boolean> {
  const direct = entitlementsOf(ctx, record)[server.identifier] ?? [];
  const isOffered = offered(server, direct);
  const asserted = assertedUser(ctx);
  if (isForItself(ctx) && !asserted) {
    // A client's roles are only read if its registered permissions do not suffice: most requests need no read.
    const suffices = direct.length > 0 && requestedScopes(ctx).every(isOffered);
    return suffices ? isOffered : offered(server, [...direct, ...(await permissionsOf(record.id, server.identifier))]);
  }
  const user_id = asserted?.user_id ?? ctx.oidc.entities.Account?.accountId ?? ctx.oidc.session?.accountId;
  const own = server.assignment_required && user_id ? await permissionsOf(user_id, server.identifier) : undefined;
  const assigned = own && new PatternSet(own);
  const isWithin = asserted ? withinLimit(server, asserted.limit[server.identifier]) : () => true;
  return (scope) => isOffered(scope) && isWithin(scope) && (assigned === undefined || assigned.covers(scope));
}

/**
 * Returns whether a trust may grant a scope without asking the user: never a scope of a built-in API (the admin API), and a sensitive one
 * only if the trust names it.
 */
function withinLimit({ built_in, permissions }: ResourceServer, limit: readonly string[] = []) {
  const given = new PatternSet(built_in ? [] : limit);
  return (scope: string) => given.covers(scope) && (limit.includes(scope) || !isSensitiveScope(permissions, scope));
}

/** Returns whether a scope belongs to this resource server and a client with these patterns may have it. */
export function offered(server: ResourceServer, patterns: string[] = []): (scope: string) => boolean {
  const isDeclared = declared(server);
  const held = new PatternSet(patterns);
  return (scope) => held.covers(scope) && isDeclared(scope);
}

/** Returns whether a scope belongs to this resource server: declared by it, or a wildcard for declared ones. */
export function declared({ permissions }: ResourceServer): (scope: string) => boolean {
  const known = judges.get(permissions);
  if (known) return known;
  const names = new PatternSet(permissions.map(({ name }) => name));
  const answers = new LRUCache<string, boolean>({
    max: remembered,
    memoMethod: (scope) => !identityScopes.includes(scope) && (names.covers(scope) || names.hasWithin(scope)),
  });
  const judge = (scope: string) => scope.length <= longestScope && answers.memo(scope);
  judges.set(permissions, judge);
  return judge;
}

// A request is checked in several steps: each of its scopes is compared with those of a server once.
const remembered = 256;
// No permission is longer, so that the cache of requests is small.
const longestScope = 256;
// Keyed by the list that `ResourceServers` caches: both are dropped together.
const judges = new WeakMap<ResourceServer['permissions'], (scope: string) => boolean>();
