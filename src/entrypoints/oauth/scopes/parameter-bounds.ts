import type { Middleware } from 'koa';
import { errors } from 'oidc-provider';
import { controlCharacters, form, invalid } from '../../../platform/http/index.ts';
import { routes } from '../endpoints.ts';

/** The maximum length of a parameter that is stored until the request is answered, or longer. */
const longestText = 1024;
const longer: Readonly<Record<string, number>> = {
  // Some clients store the user's location in it; it is returned in the redirect URI.
  state: 32 * 1024,
  nonce: 4 * 1024,
  // JWTs.
  id_token_hint: 16 * 1024,
  request: Number.POSITIVE_INFINITY,
};
// Compared with registered values, or limited in number (request-bounds.ts, claims-parameter.ts).
const judgedElsewhere = new Set(['scope', 'resource', 'claims', 'redirect_uri', 'client_id', 'request_uri']);
/** A SHA-256 thumbprint in base64url (RFC 9449 §10). */
const thumbprint = /^[A-Za-z0-9_-]{43}$/;

/**
 * Limits the text parameters of an authorization request, in the URL, pushed or signed: a signed one may contain any character.
 *
 * @throws InvalidRequest naming the parameter: it is too long, has control characters, or `dpop_jkt` is no thumbprint
 */
export function mustHaveShortParameters(parameters: Readonly<Record<string, unknown>>): void {
  const { dpop_jkt } = parameters;
  if (dpop_jkt !== undefined && !(typeof dpop_jkt === 'string' && thumbprint.test(dpop_jkt)))
    throw new errors.InvalidRequest('dpop_jkt must be the SHA-256 thumbprint of a key, 43 characters of base64url');
  for (const [name, value] of Object.entries(parameters)) {
    const most = judgedElsewhere.has(name) ? Number.POSITIVE_INFINITY : (longer[name] ?? longestText);
    if (typeof value === 'string' && value.length > most)
      throw new errors.InvalidRequest(`${name} may have ${most} characters`);
    if (typeof value === 'string' && !judgedElsewhere.has(name) && controlCharacters.test(value))
      throw new errors.InvalidRequest(`${name} must not contain control characters`);
  }
}

const longestLogoutState = 8 * 1024;

/** The parameters of a logout request are stored in the session until the user has answered. @throws Problem 400 */
export const boundLogoutState: Middleware = async (ctx, next) => {
  if (ctx.path === routes.end_session) {
    const parameters = ctx.method === 'POST' ? form(ctx) : new URLSearchParams(ctx.querystring);
    if ((parameters.get('state') ?? '').length > longestLogoutState)
      throw invalid('/state', `state may have ${longestLogoutState} characters.`);
  }
  return next();
};
