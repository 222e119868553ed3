import { errors, type TokenEndpointGrantContext } from 'oidc-provider';
import { buildTokenResponse, resolveRequestedResources } from 'oidc-provider/lib/helpers/grants.js';
import { jwtBearer as jwtBearerName } from '../../provider/urns.ts';
import { currentUnit } from '../../unit-of-work/index.ts';
import type { GrantDeps, GrantType } from './grant-type.ts';
import { issueForUser } from './identity-assertion.ts';
import { assertionOf, findPresentedAssertion, useOnce } from './presented-assertion.ts';
import { senderOf } from './sender.ts';

/**
 * JWT authorization grants (RFC 7523 §2.1): for a token of a trusted issuer, such as a cluster or a CI system, an access token of the
 * workload that it names, with the permissions of the trust. The trust is checked once more in the commit: no token is issued after it was
 * disabled or changed.
 */
export const jwtBearer: GrantType = {
  name: jwtBearerName,
  source: 'jwt_bearer',
  onBehalfOf: 'client',
  unit: { trust_id: 'uuid', trust_epoch: 'int' },
  presented: {
    join: `left join lateral (select enabled, epoch from trusts where id = u.trust_id limit 1) jwt_bearer on u.source = 'jwt_bearer'`,
    columns: [],
  },
  lives: 'jwt_bearer.enabled and jwt_bearer.epoch = u.trust_epoch',
  recorded: { won: { action: 'access_token.issued' } },
  register: (provider, deps) => {
    const answer = (ctx: TokenEndpointGrantContext) => issue(deps, ctx);
    provider.registerGrantType(jwtBearerName, answer, ['assertion', 'scope', 'resource'], ['resource']);
    provider.use(findPresentedAssertion(deps));
  },
};

async function issue(deps: GrantDeps, ctx: TokenEndpointGrantContext): Promise<void> {
  const { provider, client } = ctx.oidc;
  if (!ctx.oidc.params.assertion) throw new errors.InvalidRequest('assertion is missing: send the JWT of the workload');
  const trusted = await assertionOf(deps, ctx);
  if (trusted.identity) return issueForUser(deps, ctx, { ...trusted, identity: trusted.identity });
  const bind = await senderOf(ctx);
  const [resourceServer, ...others] = await resolveRequestedResources(provider, ctx);
  if (!resourceServer || others.length > 0)
    throw new errors.InvalidTarget('a token has one resource: name a single one');
  await useOnce(deps, trusted);

  const { scope } = resourceServer;
  const token = new provider.ClientCredentials({ client, scope } as never);
  token.resourceServer = resourceServer;
  bind(token);
  ctx.oidc.entity('ClientCredentials', token);
  const { id: trust_id, epoch: trust_epoch } = trusted.trust;
  currentUnit().source = { kind: jwtBearer.source, trust_id, trust_epoch };
  const { expiration: expiresIn, tokenType } = token;
  const accessToken = await token.save();
  ctx.body = buildTokenResponse(provider, { accessToken, expiresIn, scope, tokenType });
}
