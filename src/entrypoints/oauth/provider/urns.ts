/** Token exchange (RFC 8693 §2.1). */
export const tokenExchange = 'urn:ietf:params:oauth:grant-type:token-exchange';

/** JWT authorization grants (RFC 7523 §2.1). */
export const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

/** The subject token type: an API key of ours. */
export const apiKeyType = 'urn:latchkey:params:oauth:token-type:api-key';

/** The issued token type (RFC 8693 §3). */
export const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token';
export const jwtType = 'urn:ietf:params:oauth:token-type:jwt';
export const idJagProfile = 'urn:ietf:params:oauth:grant-profile:id-jag';
