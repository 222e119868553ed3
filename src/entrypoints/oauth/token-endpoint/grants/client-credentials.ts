import type { GrantType } from './grant-type.ts';

/** Client credentials (RFC 6749 §4.4): nothing is presented except the client's authentication. */
export const clientCredentials: GrantType = {
  name: 'client_credentials',
  source: 'client_credentials',
  onBehalfOf: 'client',
  recorded: { won: { action: 'access_token.issued' } },
};
