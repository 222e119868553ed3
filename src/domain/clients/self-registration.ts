import { z } from 'zod';
import { isLoopbackName, ShownText } from '../../platform/http/index.ts';
import { applicationProblem, redirectProblem } from './redirect-uri-rules.ts';
import { registrationDefaults } from './registration.ts';

/** The description of a client cannot be used; the message says why, without quoting values. */
export class SelfRegistrationError extends Error {
  override name = 'SelfRegistrationError';
  readonly member: string;

  constructor(member: string, message: string) {
    super(`${member} ${message}`);
    this.member = member;
  }
}

const mostRedirects = 50;
const longestAddress = 2000;
/** Clients that no operator vouches for act for users only. */
const grantTypes: readonly string[] = registrationDefaults.grant_types;

const ignoredIfWrong = <T extends z.ZodType>(schema: T) => schema.optional().catch(undefined);
const printable = /^[\u0021-\u007e]+$/;
const pageAddress = ignoredIfWrong(
  z
    .url({ protocol: /^https$/ })
    .regex(printable)
    .max(longestAddress),
);

// Characters that look like a dot count as one in host names (RFC 3490 §3.1). Names such as Node.js are no addresses.
const addressInside = /:\/\/|[\p{L}\p{N}][.\u2024\u3002\uff0e\uff61](?!js(?![\p{L}\p{N}]))\p{L}{2,}/iu;
/** A name that contains an address would pretend that the client is from there: its real origin is shown next to it. */
const Name = ShownText(100).refine((name) => !addressInside.test(name));

/** RFC 7591 §2: members that are not understood are ignored. Members that only inform users are ignored if they are invalid. */
const Description = z.object({
  client_name: ignoredIfWrong(Name),
  client_uri: pageAddress,
  logo_uri: pageAddress,
  policy_uri: pageAddress,
  tos_uri: pageAddress,
  dpop_bound_access_tokens: ignoredIfWrong(z.literal(true)),
  require_pushed_authorization_requests: ignoredIfWrong(z.literal(true)),
});

const Protocol = z.object({
  redirect_uris: z.array(z.string().max(longestAddress)).min(1).max(mostRedirects),
  grant_types: z.array(z.string()).max(100).default(grantTypes.slice()),
  token_endpoint_auth_method: z.string().optional(),
  token_endpoint_auth_signing_alg: z.string().optional(),
  jwks: z.looseObject({ keys: z.array(z.looseObject({})).min(1).max(20) }).optional(),
  jwks_uri: z
    .url({ protocol: /^https?$/ })
    .regex(printable)
    .max(longestAddress)
    .optional(),
});

/** A description of a client as this server stores it (RFC 7591), without `client_id`. */
export type SelfRegistration = {
  redirect_uris: string[];
  token_endpoint_auth_method: string;
  jwks_uri?: string | undefined;
  jwks?: { keys: Record<string, unknown>[] };
  [member: string]: unknown;
};

/**
 * The part of a client's description of itself that this server uses. Everything else is ignored: unknown members, grant types beyond
 * the authorization code and refresh tokens, and members that would grant rights or make this server call the client.
 *
 * @param methods how such a client may authenticate; the first is the default
 * @param reading whether redirect URIs that no client may have are left out, or refused
 * @throws SelfRegistrationError
 */
export function readSelfRegistration(
  given: unknown,
  { methods, reading }: { methods: readonly string[]; reading: 'lenient' | 'strict' },
): SelfRegistration {
  const { data, error } = Protocol.safeParse(given);
  if (error) {
    const [{ path = [], message = 'is wrong' } = {}] = error.issues;
    throw new SelfRegistrationError(String(path[0] ?? 'the description'), `is not usable: ${message}`);
  }
  const { token_endpoint_auth_method: method = methods[0] ?? 'none', ...rest } = data;
  if (!methods.includes(method))
    throw new SelfRegistrationError('token_endpoint_auth_method', `must be one of ${methods.join(', ')}`);
  const grants = rest.grant_types.filter((name) => grantTypes.includes(name));
  if (!grants.includes('authorization_code'))
    throw new SelfRegistrationError('grant_types', 'must contain authorization_code');
  return storable({
    ...defined(Description.parse(given)),
    ...usableRedirects(rest.redirect_uris, reading),
    grant_types: grants,
    response_types: ['code'],
    token_endpoint_auth_method: method,
    ...(method === 'private_key_jwt' ? keysOf(rest) : {}),
  });
}

/** PostgreSQL stores no NUL and no lone surrogate, which a key set could hold. @throws SelfRegistrationError */
export function storable<T extends object>(members: T): T {
  // Characters that JSON writes as an escape sequence.
  if (/\\(?:u[0-9a-f]{4}|[bfnrt])/.test(JSON.stringify(members)))
    throw new SelfRegistrationError('the description', 'must not contain control characters or invalid Unicode');
  return members;
}

function defined(members: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}

/**
 * The redirect URIs that any client may have. The application type follows from them, whatever the client says: one that redirects to
 * the user's computer is native, and its loopback redirects may have any port (RFC 8252 §7.3).
 */
function usableRedirects(
  given: readonly string[],
  reading: 'lenient' | 'strict',
): { redirect_uris: string[]; application_type: 'web' | 'native' } {
  const safe = given.filter((uri) => redirectProblem(uri) === undefined);
  const application_type = safe.some(isOnDevice) ? 'native' : 'web';
  const redirect_uris = [...new Set(safe)].filter((uri) => applicationProblem(uri, application_type) === undefined);
  const isEnough = reading === 'strict' ? redirect_uris.length === new Set(given).size : redirect_uris.length > 0;
  if (isEnough) return { redirect_uris, application_type };
  const problem = given.map((uri) => redirectProblem(uri) ?? applicationProblem(uri, application_type)).find(Boolean);
  throw new SelfRegistrationError('redirect_uris', `cannot be used: ${problem}`);
}

function isOnDevice(uri: string): boolean {
  return !uri.startsWith('https://');
}

/** Whether all redirects lead to the user's own computer, where any program could impersonate the client (RFC 8252 §8.6). */
export function redirectsToLoopbackOnly(redirect_uris: unknown): boolean {
  return (
    Array.isArray(redirect_uris) &&
    redirect_uris.length > 0 &&
    redirect_uris.every((uri) => isLoopbackName(URL.parse(String(uri))?.hostname ?? ''))
  );
}

function keysOf({ jwks, jwks_uri, token_endpoint_auth_signing_alg: alg }: z.output<typeof Protocol>) {
  if (!jwks === !jwks_uri)
    throw new SelfRegistrationError(
      'jwks',
      'or jwks_uri is required, and not both: the client authenticates with a key',
    );
  return { ...(jwks ? { jwks } : { jwks_uri }), ...(alg && { token_endpoint_auth_signing_alg: alg }) };
}
