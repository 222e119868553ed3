import { isLoopbackName } from '../../platform/http/index.ts';
import type { Client } from './store.ts';

/**
 * Who says what a client is, where no operator does: the host of its metadata document, or the client itself, of which only the places are
 * known that its users are sent back to. Its name and logo can be anyone's.
 */
export type Provenance = { by: 'document'; host: string } | { by: 'itself'; returns_to: readonly string[] };

/** undefined: an operator, or a trust that an operator made. */
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
 * What a client is called that registered itself without a usable name: by all the places that users are sent back to. One of several
 * would let it be called by a host that is not its own.
 */
export function nameByPlaces(redirect_uris: readonly string[]): string {
  const places = placesOf(redirect_uris);
  const name = places.join(', ');
  return places.length <= mostPlaces && name.length <= longestName ? name : 'Unnamed app';
}
