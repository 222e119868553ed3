import { authorizationCode } from './authorization-code.ts';
import { clientCredentials } from './client-credentials.ts';
import { deviceCode } from './device-code.ts';
import type { GrantType } from './grant-type.ts';
import { identityAssertion } from './identity-assertion.ts';
import { jwtBearer } from './jwt-bearer.ts';
import { refreshToken } from './refresh-token.ts';
import { tokenExchange } from './token-exchange.ts';

export type { GrantDeps, GrantType, Verdict } from './grant-type.ts';

/** Every grant type of the token endpoint. */
export const grantTypes: readonly GrantType[] = [
  authorizationCode,
  refreshToken,
  clientCredentials,
  deviceCode,
  tokenExchange,
  jwtBearer,
  identityAssertion,
];

/** The grant type that a token request names; undefined: none, or it is not a token request. */
export function grantTypeNamed(grant_type: unknown): GrantType | undefined {
  return grantTypes.find(({ name }) => name === grant_type);
}
