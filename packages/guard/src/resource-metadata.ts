import type { Answer } from './refusals.ts';

/** The metadata of an API, beside the data of its guard (RFC 9728 §2). */
export type MetadataOptions = {
  /** The scopes that a client requests first; it learns the further scopes of a route when it calls it. */
  scopes_supported?: readonly string[] | undefined;
  /** A display name. */
  resource_name?: string | undefined;
  resource_documentation?: string | undefined;
};

/** The metadata of the API that clients read before their first request (RFC 9728), and its address. */
export type ResourceMetadata = { url: string; document: Readonly<Record<string, unknown>> };

const wellKnown = '/.well-known/oauth-protected-resource';
const scopeToken = /^[\u0021\u0023-\u005b\u005d-\u007e]+$/;

/**
 * Refresh tokens are between a client and the authorization server: `offline_access` is not a scope of the API.
 *
 * @throws the identifier of the API is not a URL, or a scope is invalid (RFC 6749 §3.3)
 */
export function resourceMetadata(
  { issuer, resource }: { issuer: string; resource: string },
  options: MetadataOptions,
): ResourceMetadata {
  const { origin, protocol, pathname, search, hash } = URL.parse(resource) ?? {};
  if (!['https:', 'http:'].includes(protocol ?? '') || hash !== '')
    throw new Error(
      `The metadata is published at the address of the API, and its identifier is not an address: ${resource}`,
    );
  const { scopes_supported, ...others } = options;
  const wrong = scopes_supported?.find((scope) => !isScope(scope) || scope === 'offline_access');
  if (wrong !== undefined) throw new Error(`"${wrong}" is no scope of an API`);
  return {
    url: `${origin}${wellKnown}${pathname === '/' ? '' : pathname}${search}`,
    document: {
      ...others,
      resource,
      authorization_servers: [issuer],
      ...(scopes_supported && { scopes_supported }),
      bearer_methods_supported: ['header'],
    },
  };
}

export function isScope(text: string): boolean {
  return scopeToken.test(text);
}

/** Pages of every site may read it, with the header that MCP clients send. */
const shared = { 'Access-Control-Allow-Origin': '*' };

/** The response to a request for the metadata; undefined: it is another request. */
export function metadataAnswer(
  { url, document }: ResourceMetadata,
  request: { method: string; url: string },
): Answer | undefined {
  // Some clients leave out the trailing slash of a path (RFC 9728 §3.1 does not), and some look at the root only (MCP).
  if (![pathOf(url), wellKnown].includes(pathOf(request.url))) return undefined;
  if (request.method === 'OPTIONS') {
    const allowed = { 'Access-Control-Allow-Methods': 'GET, HEAD', 'Access-Control-Allow-Headers': '*' };
    return { status: 204, headers: { ...shared, ...allowed, 'Access-Control-Max-Age': '86400' }, body: '' };
  }
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return { status: 405, headers: { Allow: 'GET, HEAD, OPTIONS' }, body: '' };
  const headers = { ...shared, 'Content-Type': 'application/json', 'Cache-Control': 'public, max-age=300' };
  return { status: 200, headers, body: JSON.stringify(document) };
}

const pathOf = (url: string) => URL.parse(url, 'http://localhost')?.pathname.replace(/\/$/, '');
