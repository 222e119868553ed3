/** Admin: the API that manages everything; it assembles the rooms' routes. */
import type { Context, Middleware } from 'koa';
import compose from 'koa-compose';
import {
  type AccessDeps,
  accessRoutes,
  allows,
  effectivePermissions,
  forbiddenBecause,
  limitOfToken,
} from '../../domain/access/index.ts';
import { accessRecordRoutes } from '../../domain/access-records/index.ts';
import { type ApiKeyDeps, apiKeyRoutes, limitOfKey } from '../../domain/api-keys/index.ts';
import { auditRoutes, type Refusals } from '../../domain/audit/index.ts';
import { type ClientDeps, clientRoutes } from '../../domain/clients/index.ts';
import { consentRoutes } from '../../domain/consents/index.ts';
import { credentialRoutes, type InventoryDeps } from '../../domain/credentials/index.ts';
import { type SendEmail, type WebhookDeps, webhookRoutes } from '../../domain/notifications/index.ts';
import { resourceServerRoutes } from '../../domain/resource-servers/index.ts';
import { revocationRoutes } from '../../domain/revocation/index.ts';
import { type SessionDeps, sessionRoutes } from '../../domain/sessions/index.ts';
import { type SigningKeysDeps, signingKeyRoutes } from '../../domain/signing-keys/index.ts';
import { userRoutes } from '../../domain/users/index.ts';
import {
  type Actor,
  type Answered,
  forbidden,
  RouteClient,
  type RouteName,
  requestOrigin,
  routeTable,
  serve,
  type Transport,
} from '../../platform/http/index.ts';
import type { Bearer } from '../oauth/index.ts';
import { once } from './idempotency.ts';
import { openApi } from './openapi.ts';
import { adminAudience } from './permissions.ts';
import { referenceOf } from './reference.ts';
import { requestLimit } from './request-limit.ts';

export { type Bootstrapped, bootstrap } from './bootstrap.ts';
export { adminAudience, adminPermissions } from './permissions.ts';
export type { Operation } from './reference.ts';
export { registerAdminApi } from './resource-server.ts';
export { waitForOwnChanges } from './wait-for-own-changes.ts';

/** What the routes of the admin API work with. */
export type AdminRouteDeps = AccessDeps &
  ApiKeyDeps &
  ClientDeps &
  InventoryDeps &
  SessionDeps &
  SigningKeysDeps &
  WebhookDeps & {
    keyActivationSeconds: number;
    issuer: string;
    /** Set where there is a mail server. */
    sendEmail?: SendEmail | undefined;
    refusals: Refusals;
  };

export type AdminDeps = AdminRouteDeps & {
  version: string;
  /** Who presents an API key, or an access token for this audience. @throws Problem 401 */
  bearerOf: (ctx: Context, audience: string) => Promise<Bearer>;
};

const prefix = '/admin/v1';
/** Where the OpenAPI description lies, which anybody may read. */
export const descriptionPath = `${prefix}/openapi.json`;

/** Every route of the admin API. */
export const adminRoutes = [
  ...clientRoutes,
  ...resourceServerRoutes,
  ...accessRoutes,
  ...userRoutes,
  ...consentRoutes,
  ...apiKeyRoutes,
  ...credentialRoutes,
  ...revocationRoutes,
  ...sessionRoutes,
  ...signingKeyRoutes,
  ...auditRoutes,
  ...accessRecordRoutes,
  ...webhookRoutes,
];

/** A route of the admin API as it is documented: `POST /clients/{client_id}/disable`. */
export type AdminRouteName = RouteName<AdminRoute>;
type AdminRoute = (typeof adminRoutes)[number];

/** What a route answers. */
export type AdminAnswer<Name extends AdminRouteName> = Answered<AdminRoute, Name>;

/** The admin API, in-process or at a server elsewhere. */
export type AdminClient = RouteClient<AdminRoute>;
const table = routeTable(adminRoutes);
export const adminClient = (send: Transport<AdminRoute>): AdminClient => new RouteClient(table, send);

/** The routes for people to read. */
export const adminReference = () => referenceOf(adminRoutes, prefix);

const bearers = new WeakMap<Actor, Bearer>();

/** Answers `/admin/v1`. */
export function adminApi(deps: AdminDeps): Middleware {
  const audience = adminAudience(deps.issuer);
  const { issuer, version } = deps;
  const limit = requestLimit();
  const served = serve<AdminRouteDeps>(adminRoutes, {
    deps,
    prefix,
    once: once(deps),
    authenticate: async (ctx) => {
      const bearer = await deps.bearerOf(ctx, audience);
      await limit(ctx, bearer.subject_id);
      return actorOf(deps, ctx, bearer);
    },
    authorize: async (ctx, actor, permission) => {
      if (allows(actor.permissions, permission)) return;
      const details = { permission, method: ctx.method, path: ctx.path };
      await deps.refusals.record({ actor, action: 'admin.refused', reason: 'missing permission', details });
      const { subject_id = '', scopes = [], isKey } = bearers.get(actor) ?? {};
      if (isKey) throw forbidden(permission, `This needs "${permission}", which the key does not have.`);
      throw await forbiddenBecause(deps, { subject_id, scopes, resource: audience, permission });
    },
  });
  const document = () => JSON.stringify(openApi(adminRoutes, { issuer, version, prefix, audience }));
  return compose([describe(document), served]);
}

/**
 * The description is for everybody: it says nothing of this installation but where it is. Made when it is first asked for: it
 * would take a good part of the time that a server needs to start.
 */
function describe(make: () => string): Middleware {
  let document: string | undefined;
  return async (ctx, next) => {
    if (ctx.path !== descriptionPath || !['GET', 'HEAD'].includes(ctx.method)) return next();
    ctx.set({ 'Cache-Control': 'public, max-age=300', 'Access-Control-Allow-Origin': '*' });
    ctx.type = 'application/json';
    document ??= make();
    ctx.body = document;
    return undefined;
  };
}

async function actorOf(deps: AdminDeps, ctx: Context, bearer: Bearer): Promise<Actor> {
  const { kind, id, subject_id, api_key, isKey, scopes } = bearer;
  const resource = adminAudience(deps.issuer);
  const ofKey = api_key === null ? [] : [await limitOfKey(deps.db, api_key)];
  // A key may what it was minted with, a person's as far as they may; a token never more than whose it is.
  const permissions = isKey
    ? scopes
    : await effectivePermissions(deps, { subject_id, limits: ofKey, resource, scopes });
  const limits = isKey ? ofKey : [limitOfToken(permissions), ...ofKey];
  const who = isKey && api_key !== null ? { kind: 'api_key' as const, id: api_key.id } : { kind, id };
  const actor: Actor = { ...who, subject_id, permissions, limits, origin: requestOrigin(ctx) };
  bearers.set(actor, bearer);
  return actor;
}
