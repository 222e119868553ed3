import type { Context } from 'koa';
import type { Client, KoaContextWithOIDC, Provider } from 'oidc-provider';

type Token = { format?: string };
type Generator = { prototype: { generateTokenId: (this: Token) => string } };
/** Sends one logout token to one client. */
export type DeliverLogout = (this: Client, sub: string, sid: string | undefined) => Promise<void>;

/** Members of oidc-provider's models that its types do not show, and that Latchkey calls or replaces. */
export type HiddenModels = Record<
  'AccessToken' | 'ClientCredentials' | 'AuthorizationCode' | 'RefreshToken' | 'Grant',
  Generator
> & {
  Client: {
    validate: (metadata: Record<string, unknown>) => Promise<void>;
    prototype: {
      compareClientSecret: (this: Client, presented: string) => Promise<boolean>;
      backchannelLogout: DeliverLogout;
    };
  };
  IdToken: {
    validate: (jwt: string, client: { clientId: string; idTokenSignedResponseAlg: string }) => Promise<unknown>;
  };
  ReplayDetection: { unique: (iss: string, jti: string, exp: number) => Promise<boolean> };
};

type LibraryContext = KoaContextWithOIDC['oidc'];

/** The library's data about a request whose context is not Koa's, in the form its handlers expect. */
export function newLibraryContext(provider: Provider, ctx: object): LibraryContext {
  const { OIDCContext } = provider as unknown as { OIDCContext: new (ctx: object) => LibraryContext };
  return new OIDCContext(ctx);
}

/** The models of a provider with the members that its types do not show. */
export function hiddenModels(provider: Provider): HiddenModels {
  return provider as unknown as HiddenModels;
}

/** The context of a request as oidc-provider fills it; outside of its endpoints `oidc` is missing. */
export function hiddenContext(ctx: Context | { oidc: LibraryContext }): KoaContextWithOIDC {
  return ctx as unknown as KoaContextWithOIDC;
}

/** A place where oidc-provider is adapted in a way that it does not support. */
export type Seam = {
  what: string;
  why: string;
  /** The file, under src/. */
  file: string;
  /** The test that fails when an upgrade breaks it: its file under test/, and its name. */
  test: readonly [file: string, name: string];
};

const oauth = 'entrypoints/oauth';

/**
 * Every such place, to be checked with each upgrade of oidc-provider. A test checks that the named files and tests exist; each
 * named test was seen to fail without its adaptation.
 */
export const librarySeams: readonly Seam[] = [
  {
    what: 'Client.prototype.compareClientSecret is replaced',
    why: 'only digests of secrets are stored, and several live at once',
    file: `${oauth}/provider/client-authentication.ts`,
    test: ['domain/clients/client-libraries.test.ts', 'the client secret %j is accepted, and authenticates'],
  },
  {
    what: 'ReplayDetection.unique is replaced',
    why: 'the library reads, then writes; one insert decides which request was first',
    file: `${oauth}/provider/client-authentication.ts`,
    test: ['conformance/client-assertions.test.ts', 'is accepted once when it is sent 30 times at once (RFC 7523 §3)'],
  },
  {
    what: 'the description in a refusal of a client and in its challenge is replaced',
    why: 'a caller that signs with a secret, or knows one that is not registered, is told what to do',
    file: `${oauth}/provider/client-authentication.ts`,
    test: [
      'domain/clients/client-libraries.test.ts',
      'client_secret_jwt: registration and refusal say what to use instead',
    ],
  },
  {
    what: 'Client.prototype.backchannelLogout is replaced, and called by a job',
    why: 'the library sends the logout token once, within the request of the user',
    file: `${oauth}/provider/backchannel-logout.ts`,
    test: [
      'entrypoints/oauth/backchannel-logout.test.ts',
      'sends the clients of the session a signed logout token, and retries if one is unavailable (OIDC Back-Channel Logout 1.0 §2.5)',
    ],
  },
  {
    what: 'prototype.generateTokenId of five models is replaced',
    why: 'credentials have formats of their own, and a rotated refresh token a derived successor',
    file: `${oauth}/provider/credential-ids.ts`,
    test: [
      'conformance/refresh-tokens.test.ts',
      'that is sent again because the response was lost returns the same successor (REFRESH-13)',
    ],
  },
  {
    what: 'IdToken.validate is wrapped',
    why: 'an ID token stays a hint after its client was registered with another algorithm',
    file: `${oauth}/provider/id-token-hints.ts`,
    test: [
      'domain/clients/signing-algorithms.test.ts',
      'is that of logout hints, which stay valid when the client is registered with another (RP-Initiated Logout §2)',
    ],
  },
  {
    what: 'Client.validate is called, of a provider that serves no request',
    why: 'a registration is judged as the provider will when the client is used',
    file: `${oauth}/provider/client-metadata.ts`,
    test: ['conformance/client-registration.test.ts', 'accepts what %s needs (RFC 8252 §7)'],
  },
  {
    what: 'our own schema refuses first what Client.validate would refuse',
    why: 'the error of the library is a sentence without a member, and users read refusals beside form fields',
    file: `${oauth}/provider/client-metadata-schema.ts`,
    test: ['conformance/client-registration.test.ts', 'names the member that the library refuses'],
  },
  {
    what: 'invalid_request becomes the code of RFC 6749 §5.2, judged by the request and ctx.oidc',
    why: 'the library says invalid_request where no client is named, and for a grant type that is not registered',
    file: `${oauth}/provider/oauth-errors.ts`,
    test: [
      'conformance/client-authentication.test.ts',
      'does not allow a grant type that is not registered: unauthorized_client (RFC 6749 §5.2)',
    ],
  },
  {
    what: 'the answer of introspection is widened by username',
    why: 'RFC 7662 §2.2 has it, the library does not',
    file: `${oauth}/provider/introspected-person.ts`,
    test: [
      'entrypoints/oauth/claims.test.ts',
      'name the user of an %s token to the API, whatever the client was granted',
    ],
  },
  {
    what: 'Location is rewritten',
    why: 'the library parses the query of a redirect URI and writes it in another spelling (RFC 6749 §3.1.2)',
    file: `${oauth}/provider/redirect-query.ts`,
    test: ['entrypoints/oauth/browser-requests.test.ts', 'also after signing out'],
  },
  {
    what: 'ExternalSigningKey (experimental-01) signs with our own keys',
    why: 'signing on the main thread is faster for elliptic curves',
    file: `${oauth}/provider/direct-signing-key.ts`,
    test: [
      'domain/clients/signing-algorithms.test.ts',
      'has a key after its rotation, and signatures of the previous key still verify',
    ],
  },
  {
    what: 'helpers of custom grants are imported from oidc-provider/lib/helpers/grants.js',
    why: 'they are made for custom grants, but are not covered by semantic versioning',
    file: `${oauth}/token-endpoint/grants/token-exchange.ts`,
    test: [
      'entrypoints/oauth/token-exchange.test.ts',
      'needs no registration of the grant, which cannot be registered',
    ],
  },
  {
    what: 'the constructors of tokens get members that their types do not show',
    why: 'a token for an API key has no grant',
    file: `${oauth}/token-endpoint/grants/token-exchange.ts`,
    test: ['entrypoints/oauth/token-exchange.test.ts', 'exchanges a key as a client without a secret'],
  },
  {
    what: 'ctx.oidc.params.scope is written, also while rotateRefreshToken is asked',
    why: 'default scopes must be added before anything else reads the requested scopes',
    file: `${oauth}/scopes/requested-scopes.ts`,
    test: [
      'entrypoints/oauth/scopes-of-resources.test.ts',
      'gets only the scopes that the roles of the user allow, and the page says so',
    ],
  },
  {
    what: 'ctx.oidc.params.claims is written',
    why: 'only claims that can be granted are stored and asked consent for',
    file: `${oauth}/provider/claims-parameter.ts`,
    test: ['entrypoints/oauth/claims.test.ts', 'cannot exceed the scopes that a client is registered with'],
  },
  {
    what: 'requests are answered before the provider, or continue with another body or query',
    why: 'the library knows one spelling of a resource, and stores no JWT access tokens',
    file: `${oauth}/scopes/resource-spelling.ts`,
    test: [
      'entrypoints/oauth/scopes-of-resources.test.ts',
      '%s: names the registered API, as the token does: authorization, code, refresh',
    ],
  },
  {
    what: 'ctx.oidc.params.resource is redefined while the claims of a signed request are judged',
    why: 'the library knows one spelling of a resource, and takes the claims over as they were signed',
    file: `${oauth}/scopes/resource-spelling.ts`,
    test: [
      'entrypoints/oauth/request-and-response-modes.test.ts',
      'that is signed names the registered API in any spelling, also when it is pushed',
    ],
  },
  {
    what: 'JWT access tokens are recorded from formats.customizers.jwt, and found by a reference in place of their text',
    why: 'the adapter never sees them, and the library refuses to introspect and revoke them',
    file: `${oauth}/presented-tokens/structured-tokens.ts`,
    test: [
      'entrypoints/oauth/clients/openid-client-apis.test.ts',
      'introspects them, and so does the client, until the client revokes them (RFC 7009 §2.1)',
    ],
  },
  {
    what: 'userinfo sees no aud in a stored token, and token answers name the identity scope',
    why: 'the library refuses a token with an audience there, and drops the scope of it',
    file: `${oauth}/store/access-token-model.ts`,
    test: [
      'entrypoints/oauth/clients/openid-client-apis.test.ts',
      'can still call userinfo with a token for an API, which its scope shows (OpenID Connect Core §5.3)',
    ],
  },
  {
    what: 'find never says that a code or refresh token was consumed',
    why: 'the library would revoke the grant by itself; the commit alone judges',
    file: `${oauth}/store/refresh-token-model.ts`,
    test: [
      'entrypoints/oauth/refresh-rotation.test.ts',
      'revokes the family when a token is used after its successor was, and no other session of this user and client (RFC 9700 §4.14.2)',
    ],
  },
  {
    what: 'the store gives clients lifetimes and a placeholder as client_secret',
    why: 'ttl functions are synchronous, and the library wants a secret for some methods',
    file: `${oauth}/store/models.ts`,
    test: [
      'entrypoints/oauth/lifetimes.test.ts',
      'of refresh tokens follow the client: idle, and absolute however often they are used',
    ],
  },
  {
    what: 'the session model is used by pages: Session.get, loginAccount, resetIdentifier, save',
    why: 'users also sign in outside a client’s request',
    file: `${oauth}/interactions/browser-session.ts`,
    test: [
      'conformance/sessions.test.ts',
      'gets another id when a user signs in, and the earlier id gives no access (CWE-384)',
    ],
  },
  {
    what: 'resource servers are removed from ctx.oidc.resourceServers',
    why: 'a code is for no API whose scopes the user all refused',
    file: `${oauth}/interactions/refused-resources.ts`,
    test: ['entrypoints/oauth/scopes-of-resources.test.ts', 'is a sign-in alone if the user refuses all of the API'],
  },
  {
    what: 'errors of the device flow are told apart by name',
    why: 'their classes are not exported',
    file: `${oauth}/interactions/device-flow.ts`,
    test: ['conformance/devices.test.ts', 'is not found by the code %j, which does not become markup (XSS-04)'],
  },
  {
    what: 'one of our own errors is found as the cause of an error of the device flow',
    why: 'the library wraps what is thrown while the user is known',
    file: `${oauth}/interactions/device-flow.ts`,
    test: [
      'entrypoints/oauth/device-flow.test.ts',
      'is denied for a user without the role that its API needs (scope %s, RFC 8628 §3.5)',
    ],
  },
  {
    what: 'a body that was read is provided again, although the stream has ended',
    why: 'the library reads the stream itself, at most 56 KiB',
    file: 'platform/http/incoming-request.ts',
    test: ['conformance/input-bounds.test.ts', 'is read the same with $what (RESP-22)'],
  },
  {
    what: 'handlers of grants and of introspection are called without the middleware before them, with a context that is not Koa’s',
    why: 'the middleware takes longer than the handlers; unusual and refused requests still pass through it',
    file: `${oauth}/plain-requests/in-library.ts`,
    test: ['entrypoints/oauth/plain-requests.test.ts', 'get equal responses, whatever a service sends'],
  },
];
