/** Admin: the API that manages everything, assembled from the routes of the domain modules. */
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
import { activityRoutes } from '../../domain/activity/index.ts';
import { type ApiKeyDeps, apiKeyRoutes, limitOfKey } from '../../domain/api-keys/index.ts';
import { auditRoutes, type Refusals } from '../../domain/audit/index.ts';
import { type ClientDeps, clientRoutes } from '../../domain/clients/index.ts';
import { consentRoutes } from '../../domain/consents/index.ts';
import { credentialRoutes, type InventoryDeps } from '../../domain/credentials/index.ts';
import { identityRoutes } from '../../domain/identities/index.ts';
import { type SendEmail, type WebhookDeps, webhookRoutes } from '../../domain/notifications/index.ts';
import { type OverviewDeps, overviewRoutes } from '../../domain/overview/index.ts';
import { resourceServerRoutes } from '../../domain/resource-servers/index.ts';
import { revocationRoutes } from '../../domain/revocation/index.ts';
import { searchRoutes } from '../../domain/search/index.ts';
import { type SecretsDeps, secretRoutes } from '../../domain/secrets/index.ts';
import { type SessionDeps, sessionRoutes } from '../../domain/sessions/index.ts';
import { type SettingView, settingRoutes, type TestMailDeps } from '../../domain/settings/index.ts';
import { type SigningKeysDeps, signingKeyRoutes } from '../../domain/signing-keys/index.ts';
import { type TrustRouteDeps, trustRoutes } from '../../domain/trusts/index.ts';
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
import { type OperationGroup, referenceOf } from './reference/reference.ts';
import { requestLimit } from './request-limit.ts';

export { type Bootstrapped, bootstrap } from './bootstrap.ts';
export { adminAudience, adminPermissions } from './permissions.ts';
export { type Operation, type OperationGroup, searchReference } from './reference/reference.ts';
export { registerOwnApis } from './resource-server.ts';
export { waitForOwnChanges } from './wait-for-own-changes.ts';

/** The dependencies of the admin API's routes. */
export type AdminRouteDeps = AccessDeps &
  ApiKeyDeps &
  ClientDeps &
  InventoryDeps &
  OverviewDeps &
  SecretsDeps &
  SessionDeps &
  SigningKeysDeps &
  TrustRouteDeps &
  WebhookDeps & {
    keyActivationSeconds: number;
    issuer: string;
    /** The current settings, without secrets. */
    settings: readonly SettingView[];
    /** Set if there is a mail server. */
    sendEmail?: SendEmail | undefined;
    refusals: Refusals;
  } & TestMailDeps;

export type AdminDeps = AdminRouteDeps & {
  version: string;
  /** The caller with an API key, or an access token for this audience. @throws Problem 401 */
  bearerOf: (ctx: Context, audience: string) => Promise<Bearer>;
};

const prefix = '/admin/v1';
/** The path of the public OpenAPI description. */
export const descriptionPath = `${prefix}/openapi.json`;

/** Every route of the admin API. */
export const adminRoutes = [
  ...clientRoutes,
  ...resourceServerRoutes,
  ...trustRoutes,
  ...secretRoutes,
  ...accessRoutes,
  ...userRoutes,
  ...identityRoutes,
  ...consentRoutes,
  ...apiKeyRoutes,
  ...credentialRoutes,
  ...revocationRoutes,
  ...searchRoutes,
  ...settingRoutes,
  ...sessionRoutes,
  ...signingKeyRoutes,
  ...auditRoutes,
  ...accessRecordRoutes,
  ...activityRoutes,
  ...overviewRoutes,
  ...webhookRoutes,
];

/** The name of a route as it is documented: `POST /clients/{client_id}/disable`. */
export type AdminRouteName = RouteName<AdminRoute>;
export type AdminRoute = (typeof adminRoutes)[number];

/** The response of a route. */
export type AdminAnswer<Name extends AdminRouteName> = Answered<AdminRoute, Name>;

/** The admin API, in this process or of a remote server. */
export type AdminClient = RouteClient<AdminRoute>;
const table = routeTable(adminRoutes);
export const adminClient = (send: Transport<AdminRoute>): AdminClient => new RouteClient(table, send);

/** The routes as a reference for readers. @param issuer the server of their examples */
export const adminReference = (issuer: string): OperationGroup[] => referenceOf(adminRoutes, { prefix, issuer });

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
 * Serves the public OpenAPI description, which contains nothing about this installation but its address. It is built on first use,
 * because building it would slow the start of the server.
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
  // A key has the permissions that it was created with, a user's key only those that the user holds; a token never has more than its owner.
  const permissions = isKey
    ? scopes
    : await effectivePermissions(deps, { subject_id, limits: ofKey, resource, scopes });
  const limits = isKey ? ofKey : [limitOfToken(permissions), ...ofKey];
  const who = isKey && api_key !== null ? { kind: 'api_key' as const, id: api_key.id } : { kind, id };
  const actor: Actor = { ...who, subject_id, permissions, limits, origin: requestOrigin(ctx) };
  bearers.set(actor, bearer);
  return actor;
}
