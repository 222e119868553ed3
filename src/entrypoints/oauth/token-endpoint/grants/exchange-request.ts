import { errors } from 'oidc-provider';
import { accessTokenType, apiKeyType, jwtType } from '../../provider/urns.ts';

/** Parameters of RFC 8693 §2.1, except `grant_type`. */
export const exchangeParameters = [
  ...['subject_token', 'subject_token_type', 'actor_token', 'actor_token_type', 'requested_token_type'],
  ...['resource', 'audience', 'scope'],
];

/** Several targets are refused as a target, not as a duplicate parameter (RFC 8693 §2.2.2). */
export const targetParameters = ['resource', 'audience'];

export type ExchangeRequest = {
  /** The requested API; undefined: the request names none. */
  target: string | undefined;
  wantsJwt: boolean;
};

/**
 * The parameters of an exchange, except its scope.
 *
 * @throws InvalidRequest: one is missing or not supported; InvalidTarget: several APIs at once
 */
export function exchangeRequest(params: Readonly<Record<string, unknown>>): ExchangeRequest {
  const { subject_token, subject_token_type, actor_token, actor_token_type, requested_token_type } = params;
  if (subject_token === undefined) throw new errors.InvalidRequest('subject_token is missing: send an API key');
  if (subject_token_type !== apiKeyType)
    throw new errors.InvalidRequest(`subject_token_type must be ${apiKeyType}, the only supported type`);
  if (actor_token !== undefined || actor_token_type !== undefined)
    throw new errors.InvalidRequest('actor_token is not supported');
  if (![undefined, accessTokenType, jwtType].includes(requested_token_type as string | undefined))
    throw new errors.InvalidRequest(`requested_token_type must be ${accessTokenType} or ${jwtType}`);
  return { target: targetOf(params), wantsJwt: requested_token_type === jwtType };
}

/** APIs have one identifier here, which either parameter may contain. */
function targetOf({ resource, audience }: Readonly<Record<string, unknown>>): string | undefined {
  const [target, ...others] = [...new Set([resource, audience].flat().filter((name) => name !== undefined))];
  const isRepeated = [resource, audience].some(Array.isArray);
  if (isRepeated || others.length > 0) throw new errors.InvalidTarget('a token has one resource: send a single one');
  return target === undefined ? undefined : String(target);
}
