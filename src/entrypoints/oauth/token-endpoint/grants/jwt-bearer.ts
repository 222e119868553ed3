import { errors, type TokenEndpointGrantContext } from 'oidc-provider';
import { buildTokenResponse, resolveRequestedResources } from 'oidc-provider/lib/helpers/grants.js';
import type { TrustedAssertion } from '../../../../domain/trusts/index.ts';
import { jwtBearer as jwtBearerName } from '../../provider/urns.ts';
import { currentUnit } from '../../unit-of-work/index.ts';
import type { GrantDeps, GrantType } from './grant-type.ts';
import {
  assertionOf,
  findPresentedAssertion,
  type PresentedAssertionDeps,
  refusalOf,
  refusedAssertion,
} from './presented-assertion.ts';
import { senderOf } from './sender.ts';

/**
 * JWT authorization grants (RFC 7523 §2.1): for a token of an issuer that is trusted, such as a cluster or a CI system, an access token
 * of the workload that it names, with what the trust gives. The trust is judged once more in the commit: none is given after it was
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
  const bind = await senderOf(ctx);
  const [resourceServer, ...others] = await resolveRequestedResources(provider, ctx);
  if (!resourceServer || others.length > 0)
    throw new errors.InvalidTarget('a token has one resource: name a single one');
  await use(deps, trusted);

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

const secondsToRemember = 60;

/** Of an assertion that is accepted once the first use wins, on whatever node (RFC 7523 §3). */
export async function use(deps: PresentedAssertionDeps, trusted: TrustedAssertion): Promise<void> {
  const { trust, jti, expires_at } = trusted;
  if (jti === undefined) return;
  const until = Math.ceil(expires_at.getTime() / 1000) + secondsToRemember;
  if (await deps.isFirstUse(`trust ${trust.id}`, jti, until)) return;
  throw await refusedAssertion(deps, refusalOf(trusted, 'the assertion was used before'));
}
