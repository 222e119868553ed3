import { errors, interactionPolicy, type KoaContextWithOIDC } from 'oidc-provider';
import type { ResourceServer, ResourceServers } from '../../../domain/resource-servers/index.ts';
import {
  type Assurance,
  isAtLeast,
  type KnownPolicy,
  requiredOfUser,
  strongestOf,
  weakestOf,
} from '../../../domain/users/index.ts';
import type { Db } from '../../../platform/database/index.ts';
import { currentUnit } from '../unit-of-work/index.ts';

const { Check } = interactionPolicy;

export type AssuranceDeps = { db: Db; now: () => Date; policy: KnownPolicy; resourceServers: ResourceServers };

/**
 * Asks for a stronger authentication where one is required (RFC 9470 §5): by the request's `acr_values` or an essential `acr` in its `claims`,
 * by the client's `default_acr_values`, by an API that it is for, or by the sign-in policy for this user. A stronger class than the required one is enough, where the library
 * compares for equality.
 */
export function assuranceCheck(deps: AssuranceDeps) {
  return new Check(
    'assurance',
    'a stronger authentication of the End-User is required',
    'login_required',
    async ({ oidc }) => {
      const required = await requiredBy(deps, oidc);
      return required !== undefined && !isAtLeast(oidc.session?.acr, required);
    },
    async ({ oidc }) => ({ required_acr: await requiredBy(deps, oidc) }),
  );
}

/** What a request requires; undefined: nothing, or only classes that are not known here. */
async function requiredBy(
  { resourceServers, ...deps }: AssuranceDeps,
  { client, claims, params, session, resourceServers: requested = {} }: KoaContextWithOIDC['oidc'],
): Promise<Assurance | undefined> {
  const { essential, value, values } = (claims.id_token?.acr ?? {}) as {
    essential?: boolean;
    value?: string;
    values?: string[];
  };
  const inClaims = essential ? [value ?? [], values ?? []].flat() : [];
  const inRequest = typeof params?.acr_values === 'string' ? params.acr_values.split(' ') : [];
  const servers = await Promise.all(Object.keys(requested).map((identifier) => resourceServers.find(identifier)));
  const ofPolicy = session?.accountId ? await requiredOfUser(deps, session.accountId) : undefined;
  // A request passes through the browser of the user, who could lower what it names: it only adds to what its client is registered with.
  return strongestOf([
    ...[inClaims, inRequest, client?.defaultAcrValues ?? []].map(weakestOf),
    ...servers.map((server) => server?.required_acr),
    ofPolicy,
  ]);
}

/** What the details of a prompt say that is required. */
export function requiredIn(details: Record<string, unknown>): Assurance | undefined {
  return weakestOf([String(details.required_acr ?? '')]);
}

/** The user has to sign in again, with a stronger method (RFC 9470 §5). */
class InsufficientUserAuthentication extends errors.CustomOIDCProviderError {
  constructor(identifier: string, required_acr: string) {
    super('insufficient_user_authentication', `${identifier} needs a user who signed in with ${required_acr}`);
    Object.assign(this, { status: 400, statusCode: 400, expose: true });
  }
}

/**
 * Refuses tokens of a user for an API that requires a stronger authentication than theirs: also by a refresh token from before the API
 * required it. A token that no user signed in for, such as of a user's key, has none; a client's own is not affected.
 *
 * @throws InsufficientUserAuthentication
 */
export function mustBeAuthenticatedFor(
  { oidc }: KoaContextWithOIDC,
  { identifier, required_acr }: ResourceServer,
): void {
  if (oidc.route !== 'token' || required_acr === null) return;
  const { AuthorizationCode, RefreshToken, DeviceCode } = oidc.entities;
  const source = AuthorizationCode ?? RefreshToken ?? DeviceCode;
  if (!source && !isOfUser()) return;
  if (!source?.acr || !isAtLeast(source.acr, strongestOf([required_acr]) ?? 'phr'))
    throw new InsufficientUserAuthentication(identifier, required_acr);
}

/** Whether a key or assertion stands for a user. */
function isOfUser(): boolean {
  const { presentedKey, presentedAssertion } = currentUnit();
  const [key, assertion] = [presentedKey?.found, presentedAssertion?.found];
  const isUsersKey = key !== undefined && !('code' in key) && key.owner.kind === 'user';
  return isUsersKey || (assertion !== undefined && !('reason' in assertion) && assertion.identity !== undefined);
}
