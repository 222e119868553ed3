import { errors, type ResourceServerInstance, type TokenEndpointGrantContext } from 'oidc-provider';
import { buildTokenResponse, resolveRequestedResources } from 'oidc-provider/lib/helpers/grants.js';
import type { StandingIdentity } from '../../../../domain/identities/index.ts';
import type { TrustedAssertion } from '../../../../domain/trusts/index.ts';
import { jwtBearer as jwtBearerName } from '../../provider/urns.ts';
import { scopesIn } from '../../scopes/request-bounds.ts';
import { currentUnit } from '../../unit-of-work/index.ts';
import type { GrantType } from './grant-type.ts';
import { type PresentedAssertionDeps, useOnce } from './presented-assertion.ts';
import { senderOf } from './sender.ts';

/**
 * Identity assertions (ID-JAG, draft-ietf-oauth-identity-assertion-authz-grant §4.4): for an assertion of the user's identity provider, an
 * access token of that user for the client that it names. There is no consent page and no refresh token: the trust is the decision of an
 * administrator, and the identity provider is asked again. Link, user and trust are checked once more in the commit.
 */
export const identityAssertion: GrantType = {
  name: jwtBearerName,
  source: 'id_jag',
  onBehalfOf: 'identity',
  unit: { user_id: 'uuid', identity_id: 'uuid', trust_id: 'uuid', trust_epoch: 'int' },
  presented: {
    join: `left join lateral (select i.user_epoch from standing_identities i join standing_trusts s on s.issuer = i.issuer
        where i.id = u.identity_id and i.user_id = u.user_id and s.id = u.trust_id and s.epoch = u.trust_epoch limit 1) id_jag
      on u.source = 'id_jag'`,
    columns: ['user_epoch'],
  },
  lives: 'id_jag.user_epoch is not null',
  epochs: { user_epoch: 'id_jag_user_epoch' },
  recorded: { won: { action: 'access_token.issued' } },
};

type AboutUser = TrustedAssertion & { identity: StandingIdentity };

/** @throws InvalidClientAuth: the client did not authenticate; InvalidTarget, InvalidScope, InvalidGrant */
export async function issueForUser(
  deps: PresentedAssertionDeps,
  ctx: TokenEndpointGrantContext,
  trusted: AboutUser,
): Promise<void> {
  const { provider, client } = ctx.oidc;
  // Anyone can name a client that does not authenticate (§8.1).
  if (client.clientAuthMethod === 'none') throw new errors.InvalidClientAuth('the client must authenticate');
  const bind = await senderOf(ctx);
  const resourceServer = await targetOf(deps, ctx, trusted);
  await useOnce(deps, trusted);

  const { scope } = resourceServer;
  const { trust, identity } = trusted;
  const token = new provider.AccessToken({ client, accountId: identity.user_id, scope } as never);
  token.resourceServer = resourceServer;
  bind(token);
  const expiresIn = Math.min(token.expiration, trust.access_token_ttl_seconds ?? Number.POSITIVE_INFINITY);
  Object.assign(token, { expiresIn });
  ctx.oidc.entity('AccessToken', token);
  const given = { identity_id: identity.id, trust_id: trust.id, trust_epoch: trust.epoch };
  currentUnit().source = { kind: identityAssertion.source, user_id: identity.user_id, ...given };
  const { tokenType } = token;
  const accessToken = await token.save();
  ctx.body = buildTokenResponse(provider, { accessToken, expiresIn, scope, tokenType });
}

/**
 * The API of the token, with the scopes of the token. A request may narrow the scopes of the assertion, never widen them; scopes of the
 * assertion that cannot be granted are left out.
 */
async function targetOf(
  deps: PresentedAssertionDeps,
  ctx: TokenEndpointGrantContext,
  { assertion: { payload } }: AboutUser,
): Promise<ResourceServerInstance> {
  const { params } = ctx.oidc;
  const asked = typeof params.scope === 'string' ? scopesIn(params.scope) : [];
  const stated = typeof payload.scope === 'string' ? scopesIn(payload.scope) : undefined;
  const resource = await resourceIn(deps, { asked: params.resource, stated: payload.resource });
  if (stated && !asked.every((name) => stated.includes(name)))
    throw new errors.InvalidScope('the assertion does not say this scope', asked.join(' '));
  const scope = asked.length > 0 ? params.scope : payload.scope;
  Object.assign(params, { ...(resource !== undefined && { resource }), ...(scope !== undefined && { scope }) });
  const [resourceServer, ...others] = await resolveRequestedResources(ctx.oidc.provider, ctx);
  if (!resourceServer || others.length > 0)
    throw new errors.InvalidTarget('a token has one resource: name a single one');
  const had = new Set(scopesIn(resourceServer.scope));
  const missing = asked.filter((name) => !had.has(name));
  if (missing.length > 0) throw new errors.InvalidScope('requested scope is not allowed', missing.join(' '));
  return resourceServer;
}

/** @throws InvalidTarget: the request names another API than the assertion */
async function resourceIn(
  { resourceServers }: PresentedAssertionDeps,
  { asked, stated }: { asked: unknown; stated: unknown },
): Promise<string | undefined> {
  if (Array.isArray(asked)) throw new errors.InvalidTarget('a token has one resource: name a single one');
  const names = stated === undefined ? [] : [stated].flat().map(String);
  const servers = await Promise.all(names.map((name) => resourceServers.find(name)));
  // In any spelling.
  const known = servers.flatMap((server) => (server ? [server.identifier] : []));
  if (asked === undefined) {
    if (stated !== undefined && known.length !== 1)
      throw new errors.InvalidTarget('name one resource of the assertion');
    return known[0];
  }
  if (stated !== undefined && !known.includes(String(asked)))
    throw new errors.InvalidTarget('the assertion is for another resource');
  return String(asked);
}
