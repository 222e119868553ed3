import { isIP } from 'node:net';
import { isLoopbackName } from '../../platform/http/index.ts';
import { type DomainRules, isAllowedDomain } from '../../platform/outbound/index.ts';

export type AddressRules = {
  domains: DomainRules;
  /** In development documents are read from this machine, also over http. */
  allowLoopback: boolean;
  issuer: string;
};

/**
 * Whether a `client_id` is the address of a metadata document that may be fetched (draft-ietf-oauth-client-id-metadata-document §3).
 * Only the normal spelling is: `client_id` values are compared character by character, and every other spelling of a host, such as an
 * address in decimal, is another `client_id`. A host that is an IP address would tell a user nothing.
 */
export function isDocumentAddress(client_id: string, rules: AddressRules): boolean {
  const url = client_id.startsWith('http') ? URL.parse(client_id) : null;
  if (!url || url.href !== client_id || client_id.includes('#') || url.username !== '' || url.password !== '')
    return false;
  return isAllowedPlace(url, rules);
}

/** Whether the keys of a document may be fetched from this address: the rules for documents apply, with any spelling. */
export function isKeysAddress(jwks_uri: string, rules: AddressRules): boolean {
  const url = URL.parse(jwks_uri);
  return url !== null && url.username === '' && url.password === '' && isAllowedPlace(url, rules);
}

// Documents are on these ports only: fetching from others would reveal what listens there.
const ports: readonly string[] = ['', '8443'];

function isAllowedPlace(url: URL, { domains, allowLoopback, issuer }: AddressRules): boolean {
  const { protocol, hostname, host, port } = url;
  const own = new URL(issuer);
  if (host === own.host) return false;
  if (isLoopbackName(hostname) || hostname.endsWith('.localhost'))
    return allowLoopback && (protocol === 'https:' || protocol === 'http:');
  const isNamed = hostname.includes('.') && isIP(hostname.replace(/^\[|\]$/g, '')) === 0;
  // A name with a trailing dot is another name of the same host.
  const isForeign = hostname !== own.hostname && !hostname.endsWith('.');
  return protocol === 'https:' && isNamed && isForeign && ports.includes(port) && isAllowedDomain(domains, hostname);
}
