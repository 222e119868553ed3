import type { Context, Middleware } from 'koa';
import compose from 'koa-compose';
import {
  type ClientDeps,
  type DynamicClient,
  registerDynamicClient,
  SelfRegistrationError,
} from '../../../domain/clients/index.ts';
import { listScopesOfOpenApis } from '../../../domain/resource-servers/index.ts';
import {
  type Actor,
  anonymous,
  methodNotAllowed,
  notFound,
  Problem,
  readJson,
  requestOrigin,
  tooMany,
} from '../../../platform/http/index.ts';
import { registrationPath } from '../endpoints.ts';
import { inPrintableAscii, oauthErrors } from '../provider/oauth-errors.ts';
import { identityScopes, identityScopesOfAnyone } from '../scopes/requested-scopes.ts';

/** Who may register clients: no one; callers with a credential that has the permission; anyone. */
export type RegistrationMode = 'off' | 'token' | 'open';

export type RegistrationDeps = ClientDeps & {
  mode: RegistrationMode;
  /** Who presents a credential that may register clients. @throws Problem 401, 403, 429 */
  registrar: (ctx: Context) => Promise<Actor>;
  /** Counts a registration from an address. Returns the seconds to wait; undefined: it is allowed. */
  countRegistration: (address: string) => Promise<number | undefined>;
};

/** Dynamic client registration (RFC 7591), if it is enabled. */
export function registrationEndpoint(deps: RegistrationDeps): Middleware {
  const answered = compose([oauthErrors, register(deps)]);
  return (ctx, next) => (ctx.path === registrationPath ? answered(ctx, next) : next());
}

function register(deps: RegistrationDeps): Middleware {
  return async (ctx: Context) => {
    if (deps.mode === 'off') throw notFound('endpoint', registrationPath);
    letPagesCall(ctx);
    if (ctx.method === 'OPTIONS') {
      ctx.status = 204;
      return;
    }
    if (ctx.method !== 'POST') throw methodNotAllowed(ctx.method, 'POST, OPTIONS');
    ctx.set('Cache-Control', 'no-store');
    await answer(deps, ctx);
  };
}

/** Clients in a browser register, too; nothing here uses a cookie. */
function letPagesCall(ctx: Context): void {
  ctx.set({
    'Access-Control-Allow-Origin': '*',
    'Access-Control-Allow-Methods': 'POST',
    'Access-Control-Allow-Headers': 'Authorization, Content-Type, MCP-Protocol-Version',
    'Access-Control-Expose-Headers': 'WWW-Authenticate, Retry-After',
  });
}

async function answer(deps: RegistrationDeps, ctx: Context): Promise<void> {
  const actor = deps.mode === 'token' ? await deps.registrar(ctx) : await anyone(deps, ctx);
  const ofApis = await listScopesOfOpenApis(deps.db);
  const scopes = {
    declared: [...identityScopes, ...ofApis.map(({ name }) => name)],
    open: [...identityScopesOfAnyone, ...ofApis.filter(({ is_open }) => is_open).map(({ name }) => name)],
  };
  try {
    const given = await readJson(ctx.req);
    ctx.status = 201;
    ctx.body = shown(await registerDynamicClient(deps, actor, { given, scopes }));
  } catch (error) {
    refuse(ctx, error);
  }
}

async function anyone({ countRegistration }: RegistrationDeps, ctx: Context): Promise<Actor> {
  const origin = requestOrigin(ctx);
  const seconds = await countRegistration(origin.address ?? '');
  if (seconds !== undefined)
    throw tooMany('Too many clients were registered from your network. Wait and try again.', seconds);
  return anonymous(origin);
}

/** RFC 7591 §3.2.1. A secret does not expire: the client is deleted when it is unused. */
function shown({ client_id, created_at, client_secret, metadata }: DynamicClient): Record<string, unknown> {
  const client_id_issued_at = Math.floor(created_at.getTime() / 1000);
  const secret = client_secret === undefined ? {} : { client_secret, client_secret_expires_at: 0 };
  return { client_id, client_id_issued_at, ...secret, ...metadata };
}

/** RFC 7591 §3.2.2. */
function refuse(ctx: Context, error: unknown): void {
  const isDescription = error instanceof SelfRegistrationError || (error instanceof Problem && error.status === 400);
  if (!isDescription) throw error;
  const isRedirect = error instanceof SelfRegistrationError && error.member === 'redirect_uris';
  ctx.status = 400;
  ctx.body = {
    error: isRedirect ? 'invalid_redirect_uri' : 'invalid_client_metadata',
    error_description: inPrintableAscii(error.message),
  };
}
