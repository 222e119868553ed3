import { isLoopbackName } from '../../platform/http/index.ts';
import type { Client } from './store.ts';

/**
 * Who describes a client that no operator registered: the host of its metadata document, or the client itself, of which only the redirect
 * targets are known. Its name and logo can be anyone's.
 */
export type Provenance = { by: 'document'; host: string } | { by: 'itself'; returns_to: readonly string[] };

/** undefined: an operator registered it, or a trust of an operator. */
export function provenanceOf({
  client_id,
  registered_by,
  metadata,
}: Pick<Client, 'client_id' | 'registered_by'> & { metadata: Record<string, unknown> }): Provenance | undefined {
  if (registered_by === 'document') return { by: 'document', host: new URL(client_id).host };
  return registered_by === 'dynamic' ? { by: 'itself', returns_to: placesOf(metadata.redirect_uris) } : undefined;
}

/** The hosts that redirect URIs lead to, and the schemes of apps, each once. A loopback address has any port (RFC 8252 §7.3). */
function placesOf(redirect_uris: unknown): string[] {
  const urls = (Array.isArray(redirect_uris) ? redirect_uris : []).flatMap((uri) => URL.parse(String(uri)) ?? []);
  return [...new Set(urls.map(placeOf))].sort();
}

function placeOf({ protocol, hostname, host }: URL): string {
  if (protocol !== 'https:' && protocol !== 'http:') return protocol;
  return isLoopbackName(hostname) ? hostname : host;
}

const mostPlaces = 3;
const longestName = 100;

/**
 * The name of a client that registered itself without a usable name: all its redirect targets. With only one of several, it could take
 * the name of a host that is not its own.
 */
export function nameByPlaces(redirect_uris: readonly string[]): string {
  const places = placesOf(redirect_uris);
  const name = places.join(', ');
  return places.length <= mostPlaces && name.length <= longestName ? name : 'Unnamed app';
}
