import { errors, type ResourceServerInstance, type TokenEndpointGrantContext } from 'oidc-provider';
import { buildTokenResponse, resolveRequestedResources } from 'oidc-provider/lib/helpers/grants.js';
import { type KeyEntry, secondsLeft } from '../../../../domain/api-keys/index.ts';
import { accessTokenType, tokenExchange as tokenExchangeName } from '../../provider/urns.ts';
import { currentUnit } from '../../unit-of-work/index.ts';
import { type ExchangeRequest, exchangeParameters, exchangeRequest, targetParameters } from './exchange-request.ts';
import type { GrantDeps, GrantType } from './grant-type.ts';
import { findPresentedKey, keyOf, refusalOf } from './presented-key.ts';
import { senderOf, type Token } from './sender.ts';

/**
 * Token exchange (RFC 8693): for an API key an access token that is valid for minutes, for one API, with no more than the permissions of
 * the key there; so that the key never leaves its workload. The token is revoked with the key, which may be exchanged as often as its
 * limits allow.
 */
export const tokenExchange: GrantType = {
  name: tokenExchangeName,
  source: 'token_exchange',
  onBehalfOf: 'api_key',
  presented: {
    join: `left join lateral (select * from standing_api_keys where id = u.api_key_id and number = u.api_key_version limit 1) token_exchange
      on u.source = 'token_exchange'`,
    columns: ['epoch'],
  },
  epochs: { api_key_epoch: 'token_exchange_epoch' },
  lives: `token_exchange.ends_at > $2`,
  recorded: { won: { action: 'access_token.issued' } },
  actor: ({ api_key_id }) => ({ kind: 'api_key', id: String(api_key_id) }),
  // RFC 8693 §2.2.2: for any error of the subject token.
  refusal: { error: 'invalid_request', error_description: 'subject_token is no longer valid' },
  register: (provider, deps) => {
    const answer = (ctx: TokenEndpointGrantContext) => exchange(deps, ctx);
    provider.registerGrantType(tokenExchangeName, answer, exchangeParameters, targetParameters);
    provider.use(findPresentedKey(deps));
  },
};

/** All other refusals come first, so that they do not count as a use of the key. */
async function exchange(deps: GrantDeps, ctx: TokenEndpointGrantContext): Promise<void> {
  const { provider, client } = ctx.oidc;
  const request = exchangeRequest(ctx.oidc.params);
  const key = keyOf(ctx, client);
  const bind = await senderOf(ctx);
  const resourceServer = await targetServer(ctx, { key, request });
  await admit(deps, ctx, { key, resourceServer });

  const { scope } = resourceServer;
  const token: Token =
    key.owner.kind === 'user'
      ? new provider.AccessToken({ client, accountId: key.owner.id, scope } as never)
      : new provider.ClientCredentials({ client, scope } as never);
  token.resourceServer = resourceServer;
  bind(token);
  const expiresIn = Math.min(token.expiration, secondsLeft(key, deps.now()));
  Object.assign(token, { expiresIn });
  ctx.oidc.entity(token.kind, token as never);
  const user_id = key.owner.kind === 'user' ? key.owner.id : undefined;
  currentUnit().source = { kind: tokenExchange.source, user_id, api_key_id: key.id, api_key_version: key.number };
  const { tokenType } = token;
  const accessToken = await token.save();
  ctx.body = buildTokenResponse(provider, {
    accessToken,
    expiresIn,
    issuedTokenType: accessTokenType,
    scope,
    tokenType,
  });
}

type Wanted = { key: KeyEntry; request: ExchangeRequest };

/** @throws InvalidTarget, InvalidScope, InvalidRequest */
async function targetServer(ctx: TokenEndpointGrantContext, { key, request }: Wanted): Promise<ResourceServerInstance> {
  const { target = key.resources.length === 1 ? key.resources[0] : undefined, wantsJwt } = request;
  if (target === undefined) throw new errors.InvalidTarget('name the resource this token is for');
  Object.assign(ctx.oidc.params, { resource: target });
  const [resourceServer] = await resolveRequestedResources(ctx.oidc.provider, ctx);
  if (!resourceServer) throw new errors.InvalidTarget();
  if (wantsJwt && resourceServer.accessTokenFormat !== 'jwt')
    throw new errors.InvalidRequest('access tokens for this resource are not JWTs: omit requested_token_type');
  return resourceServer;
}

/** Judges the key as the gateway would judge a request for all of the scope; the exchange counts as one use at its limits. */
async function admit(
  { apiKeys, now }: GrantDeps,
  ctx: TokenEndpointGrantContext,
  { key, resourceServer }: { key: KeyEntry; resourceServer: ResourceServerInstance },
): Promise<void> {
  const verdict = await apiKeys.judge(key, {
    // When the resource server was resolved, the key was found to have these scopes, patterns among them.
    needs: undefined,
    permissions: resourceServer.scope.split(' '),
    resource: resourceServer.identifier(),
    ip: ctx.ip,
    origin: ctx.get('Origin') || undefined,
    cost: 1,
    parameters: {},
  });
  if (verdict.code !== 'valid') throw refusalOf(ctx, verdict);
  if (secondsLeft(key, now()) < 1)
    throw refusalOf(ctx, { code: 'expired', reason: 'The key expires now.', limits: [] });
}
