import { errors, interactionPolicy, type KoaContextWithOIDC } from 'oidc-provider';
import { type Demand, demandOf, inOrder, meets, weakestOf } from '../../../domain/assurance/index.ts';
import { signInOf } from '../../../domain/clients/index.ts';
import type { ResourceServer, ResourceServers } from '../../../domain/resource-servers/index.ts';
import { type KnownPolicy, requiredOfUser } from '../../../domain/users/index.ts';
import type { Db } from '../../../platform/database/index.ts';
import { type ClientDeps, type ClientRecord, findClientRecord, grantSource } from '../store/index.ts';
import { currentUnit } from '../unit-of-work/index.ts';

const { Check } = interactionPolicy;

export type AssuranceDeps = ClientDeps & {
  db: Db;
  now: () => Date;
  policy: KnownPolicy;
  resourceServers: ResourceServers;
};

/**
 * Asks for another authentication where one is required (RFC 9470 §5): by the request's `acr_values` or an essential `acr` in its `claims`,
 * by the client or an API that it is for, which also say by which methods, or by the sign-in policy for this user. A stronger class than
 * the required one is enough, where the library compares for equality.
 */
export function assuranceCheck(deps: AssuranceDeps) {
  return new Check(
    'assurance',
    'a stronger authentication of the End-User is required',
    'login_required',
    async ({ oidc }) => !meets(oidc.session ?? {}, await demandIn(deps, oidc)),
    async ({ oidc }) => ({ ...(await demandIn(deps, oidc)) }),
  );
}

/** What a request demands. Classes that are not known here are left out. */
async function demandIn(
  { resourceServers, ...deps }: AssuranceDeps,
  { client, claims, params, session, resourceServers: requested = {} }: KoaContextWithOIDC['oidc'],
): Promise<Demand> {
  const { essential, value, values } = (claims.id_token?.acr ?? {}) as {
    essential?: boolean;
    value?: string;
    values?: string[];
  };
  const inClaims = essential ? [value ?? [], values ?? []].flat() : [];
  const inRequest = typeof params?.acr_values === 'string' ? params.acr_values.split(' ') : [];
  const servers = await Promise.all(Object.keys(requested).map((identifier) => resourceServers.find(identifier)));
  const ofPolicy = session?.accountId ? await requiredOfUser(deps, session.accountId) : undefined;
  const record = client && (await findClientRecord(deps, client.clientId));
  // A request passes through the browser of the user, who could lower its parameters: it can only add to the registration of its client.
  return demandOf([
    ...[inClaims, inRequest].map((named) => ({ required_acr: weakestOf(named) })),
    ...(record ? [ofClient(record)] : []),
    ...servers.filter((server) => server !== undefined),
    { required_acr: ofPolicy },
  ]);
}

const ofClient = ({ metadata, allowed_factors }: ClientRecord) => signInOf({ ...metadata, allowed_factors });

/** The requirements in the details of a prompt. */
export function demandOfPrompt({ required_acr, allowed_factors }: Record<string, unknown>): Demand {
  return {
    required_acr: weakestOf([String(required_acr ?? '')]),
    allowed_factors: Array.isArray(allowed_factors) ? inOrder(allowed_factors) : null,
  };
}

/** The user has to sign in again, as this demands (RFC 9470 §5). */
class InsufficientUserAuthentication extends errors.CustomOIDCProviderError {
  constructor(name: string, { required_acr, allowed_factors }: Demand) {
    const how = [required_acr && `with ${required_acr}`, allowed_factors && `by ${allowed_factors.join(' or ')}`];
    super(
      'insufficient_user_authentication',
      `${name} needs a user who signed in ${how.filter(Boolean).join(' and ')}`,
    );
    Object.assign(this, { status: 400, statusCode: 400, expose: true });
  }
}

/**
 * Refuses tokens of a user for an API that requires stronger authentication than theirs: also for a refresh token from before the API
 * required it. A token without a sign-in, such as one for a user's key, has none; tokens of clients themselves are not affected.
 *
 * @throws InsufficientUserAuthentication
 */
export function mustBeAuthenticatedFor({ oidc }: KoaContextWithOIDC, server: ResourceServer): void {
  if (oidc.route !== 'token') return;
  const source = grantSource(oidc);
  const demand = demandOf([server]);
  if ((source || isOfUser()) && !meets(source ?? {}, demand))
    throw new InsufficientUserAuthentication(server.identifier, demand);
}

/** The same for the client: also for a code, device code or refresh token from before. @throws InsufficientUserAuthentication */
export async function mustBeAuthenticatedForClient(deps: ClientDeps, { oidc }: KoaContextWithOIDC): Promise<void> {
  const source = grantSource(oidc);
  const record = source && oidc.client && (await findClientRecord(deps, oidc.client.clientId));
  if (!record) return;
  const demand = demandOf([ofClient(record)]);
  if (!meets(source, demand)) throw new InsufficientUserAuthentication(record.client_id, demand);
}

/** Whether a key or assertion represents a user. */
function isOfUser(): boolean {
  const { presentedKey, presentedAssertion } = currentUnit();
  const [key, assertion] = [presentedKey?.found, presentedAssertion?.found];
  const isUsersKey = key !== undefined && !('code' in key) && key.owner.kind === 'user';
  return isUsersKey || (assertion !== undefined && !('reason' in assertion) && assertion.identity !== undefined);
}
