import { interactionPolicy, type KoaContextWithOIDC } from 'oidc-provider';
import { type Assurance, isAtLeast, weakestOf } from '../../../domain/users/index.ts';

const { Check } = interactionPolicy;

/**
 * Asks for a stronger authentication where the request requires one (RFC 9470 §5): by `acr_values`, by an essential `acr` in `claims`, or by
 * the client's `default_acr_values`. A stronger class than the required one is enough, where the library compares for equality.
 */
export const assuranceCheck = new Check(
  'assurance',
  'a stronger authentication of the End-User is required',
  'login_required',
  ({ oidc }) => {
    const required = requiredBy(oidc);
    return required !== undefined && !isAtLeast(oidc.session?.acr, required);
  },
  ({ oidc }) => ({ required_acr: requiredBy(oidc) }),
);

/** What a request requires; undefined: nothing, or only classes that are not known here. */
function requiredBy({ client, claims, params }: KoaContextWithOIDC['oidc']): Assurance | undefined {
  const { acr_values } = params ?? {};
  const { essential, value, values } = (claims.id_token?.acr ?? {}) as {
    essential?: boolean;
    value?: string;
    values?: string[];
  };
  const inClaims = essential ? weakestOf([value ?? [], values ?? []].flat()) : undefined;
  const named = typeof acr_values === 'string' ? acr_values.split(' ') : client?.defaultAcrValues;
  const inRequest = weakestOf(named ?? []);
  if (!inClaims || !inRequest) return inClaims ?? inRequest;
  return isAtLeast(inClaims, inRequest) ? inClaims : inRequest;
}

/** What the details of a prompt say that is required. */
export function requiredIn(details: Record<string, unknown>): Assurance | undefined {
  return weakestOf([String(details.required_acr ?? '')]);
}
