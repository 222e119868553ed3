/** Token exchange (RFC 8693 §2.1). */
export const tokenExchange = 'urn:ietf:params:oauth:grant-type:token-exchange';

/** JWT authorization grants (RFC 7523 §2.1). */
export const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

/** What is exchanged: an API key of ours. */
export const apiKeyType = 'urn:latchkey:params:oauth:token-type:api-key';

/** What is got for it (RFC 8693 §3). */
export const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token';
export const jwtType = 'urn:ietf:params:oauth:token-type:jwt';
export const idJagProfile = 'urn:ietf:params:oauth:grant-profile:id-jag';
