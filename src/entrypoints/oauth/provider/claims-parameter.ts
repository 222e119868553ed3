import { type ClaimsParameter, type Client, errors, type KoaContextWithOIDC } from 'oidc-provider';
import { assuranceClasses, weakestOf } from '../../../domain/assurance/index.ts';
import { controlCharacters } from '../../../platform/http/index.ts';
import { identityScopes, identityScopesOf } from '../scopes/requested-scopes.ts';
import { type ClientDeps, findClientRecord } from '../store/index.ts';
import { claimsByScope, scopesOfClaims } from './claims.ts';

type Requested = { essential?: boolean; value?: string; values?: string[] } | null;

const aboutTheSignIn = ['auth_time', 'iss', 'sid', 'acr', 'amr'];
const supported = new Set([...Object.values(claimsByScope).flat(), ...aboutTheSignIn]);
const mostClaims = 100;
const mostValues = 20;
const longestValue = 256;

/**
 * Reduces the `claims` parameter (OpenID Connect Core §5.5) to claims that this server has and whose scope the client may request. All
 * others are ignored, as §5.5.1 requires. The rest is stored, and shown on the consent page.
 *
 * @throws InvalidRequest: more than 100 claims; UnmetAuthenticationRequirements: it requires an unknown authentication context class
 */
export function acceptClaims(deps: ClientDeps) {
  return async (ctx: KoaContextWithOIDC, claims: ClaimsParameter, client: Client): Promise<void> => {
    const record = await findClientRecord(deps, client.clientId);
    const own = record ? identityScopesOf(record) : identityScopes;
    acceptOf(ctx, claims, client.scope?.split(' ').filter((scope) => own.includes(scope)) ?? own);
  };
}

/** @param scopes those of OpenID Connect's own that the client may request */
function acceptOf(ctx: KoaContextWithOIDC, { id_token, userinfo }: ClaimsParameter, scopes: readonly string[]): void {
  const count = [id_token, userinfo].reduce((sum, members) => sum + Object.keys(members ?? {}).length, 0);
  if (count > mostClaims) throw new errors.InvalidRequest(`claims must not name more than ${mostClaims} claims`);
  refuseEssentialClass(id_token?.acr);
  const accepted = Object.entries({ id_token, userinfo })
    .map(([place, members]) => [place, acceptedOf(members ?? {}, scopes)] as const)
    .filter(([, members]) => Object.keys(members).length > 0);
  const { params } = ctx.oidc;
  if (params) params.claims = accepted.length > 0 ? JSON.stringify(Object.fromEntries(accepted)) : undefined;
}

function acceptedOf(members: Record<string, unknown>, scopes: readonly string[]): Record<string, Requested> {
  const isAllowed = (claim: string) =>
    supported.has(claim) && scopesOfClaims([claim]).every((scope) => scopes.includes(scope));
  const entries = Object.entries(members).filter(([claim]) => isAllowed(claim));
  return Object.fromEntries(
    entries.map(([claim, member]) => [claim, plain(member)] as const).filter(([, member]) => member !== undefined),
  ) as Record<string, Requested>;
}

/** The request for one claim (§5.5.1), normalized; undefined: the value is invalid or not supported. */
function plain(member: unknown): Requested | undefined {
  if (member === null) return null;
  if (typeof member !== 'object' || Array.isArray(member)) return undefined;
  const { essential, value, values } = member as Record<string, unknown>;
  return {
    ...(typeof essential === 'boolean' && { essential }),
    ...(isUsable(value) && { value }),
    ...(Array.isArray(values) && { values: values.filter(isUsable).slice(0, mostValues) }),
  };
}

const isUsable = (value: unknown): value is string =>
  typeof value === 'string' && value.length <= longestValue && !controlCharacters.test(value);

/** §5.5.1.1: an essential authentication class that is not supported is a failed authentication. */
function refuseEssentialClass(member: unknown): void {
  const { essential, value, values } = (typeof member === 'object' && member !== null ? member : {}) as Record<
    string,
    unknown
  >;
  const named = [value ?? [], values ?? []].flat().map(String);
  if (essential === true && named.length > 0 && weakestOf(named) === undefined)
    throw new errors.UnmetAuthenticationRequirements(`acr must be one of: ${assuranceClasses.join(', ')}`);
}
