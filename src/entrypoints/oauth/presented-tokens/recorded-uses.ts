import type { Context, Middleware } from 'koa';
import { type AccessRecords, credentialName, type Use } from '../../../domain/access-records/index.ts';
import { requestOrigin } from '../../../platform/http/index.ts';
import { routes } from '../endpoints.ts';
import { currentUnit } from '../unit-of-work/index.ts';

type Token = { clientId?: string; accountId?: string; jti?: string };
type Entities = Partial<Record<'AccessToken' | 'ClientCredentials' | 'RefreshToken', Token>>;

const uses: Readonly<Record<string, (ctx: Context) => Use | undefined>> = {
  [routes.introspection]: introspected,
  [routes.userinfo]: shown,
  [routes.token]: exchanged,
};

/** Records the results of introspection and userinfo, and exchanged keys; inside the unit of work, outside the provider. */
export function recordUses(records: AccessRecords): Middleware {
  return async (ctx, next) => {
    await next();
    const useOf = Object.hasOwn(uses, ctx.path) && ctx.method !== 'OPTIONS' ? uses[ctx.path] : undefined;
    // A database outage is no result for the token.
    const use = ctx.status < 500 ? useOf?.(ctx) : undefined;
    if (use) records.record(use);
  };
}

function introspected(ctx: Context): Use {
  return { kind: 'introspection', outcome: recordedMembersOf(ctx), caller: ctx.oidc?.client?.clientId, ...about(ctx) };
}

function recordedMembersOf(ctx: Context): Use['outcome'] {
  if (ctx.status !== 200) return 'refused';
  return (ctx.body as { active?: boolean }).active ? 'active' : 'inactive';
}

function shown(ctx: Context): Use {
  return { kind: 'userinfo', outcome: ctx.status === 200 ? 'active' : 'refused', ...about(ctx) };
}

/** For a value that is no key of ours, only the origin of the request is known. */
function exchanged(ctx: Context): Use | undefined {
  const { presentedKey, origin } = currentUnit();
  if (!presentedKey) return undefined;
  const { found } = presentedKey;
  const { address, request_id } = origin;
  const use = { kind: 'exchange' as const, outcome: ctx.status === 200 ? ('active' as const) : ('refused' as const) };
  if ('code' in found) return { ...use, address, request_id };
  const { id, number, owner } = found;
  const { scope = '' } = ctx.status === 200 ? (ctx.body as { scope?: string }) : {};
  const granted = ctx.status === 200 ? { version: number, permissions: scope.split(' ').filter(Boolean) } : {};
  const whose = owner.kind === 'user' ? { user_id: owner.id } : { client_id: owner.name };
  return { ...use, credential: id, ...whose, ...granted, address, request_id };
}

/** For an unknown token, only the origin of the request is known. */
function about(ctx: Context): Pick<Use, 'credential' | 'client_id' | 'user_id' | 'address' | 'request_id'> {
  const entities: Entities = ctx.oidc?.entities ?? {};
  const token = entities.AccessToken ?? entities.ClientCredentials ?? entities.RefreshToken;
  const { address, request_id } = requestOrigin(ctx);
  if (!token) return { address, request_id };
  const { structured } = currentUnit();
  const credential = structured?.jti ?? (token.jti === undefined ? undefined : credentialName(token.jti));
  return { credential, client_id: token.clientId, user_id: token.accountId, address, request_id };
}
