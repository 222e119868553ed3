import { z } from 'zod';
import { isLoopbackName } from '../../platform/http/index.ts';

// Pages with these schemes have an opaque origin, or none; browsers send `null` or nothing.
const originless = new Set(['about:', 'blob:', 'data:', 'file:', 'javascript:']);
const mostOrigins = 20;
const longestOrigin = 300;

/**
 * The origin of a page at this address, as browsers send it (RFC 6454 §6.2); undefined if such a page has none.
 * The URL standard gives custom schemes an opaque origin, but Electron (`app://bundle`), Capacitor (`capacitor://localhost`)
 * and browser extensions (`chrome-extension://id`) send scheme and host.
 */
function originOf(address: string): string | undefined {
  const { protocol = '', host = '', origin = 'null' } = URL.parse(address) ?? {};
  if (originless.has(protocol) || host === '') return undefined;
  return origin === 'null' ? `${protocol}//${host.toLowerCase()}` : origin;
}

/** Redirect URIs of a client, and whether it is native: those of native clients may use any loopback port. */
export type Redirecting = { redirect_uris: readonly string[]; isNative: boolean };

/** Whether pages that the client redirects to have this origin (RFC 8252 §7.3: any port on loopback addresses of native clients). */
export function isRedirectOrigin(origin: string, { redirect_uris, isNative }: Redirecting): boolean {
  // Browsers send no trailing slash and no upper case.
  if (originOf(origin) !== origin) return false;
  const anyPort = isNative ? loopbackWithoutPort(origin) : undefined;
  return redirect_uris.some(
    (uri) => originOf(uri) === origin || (anyPort !== undefined && loopbackWithoutPort(uri) === anyPort),
  );
}

function loopbackWithoutPort(address: string): string | undefined {
  const { protocol, hostname = '' } = URL.parse(address) ?? {};
  return protocol === 'http:' && isLoopbackName(hostname) ? hostname : undefined;
}

/** What is wrong with a registered origin; undefined: nothing. */
function originProblem(text: string): string | undefined {
  if (text.includes('*')) return 'must list each origin: "*" is not a wildcard here';
  const origin = originOf(text);
  if (origin === undefined) return 'must be an origin, such as https://app.example or capacitor://localhost';
  if (origin !== text) return `must be written as browsers send it: ${origin}`;
  const { protocol, hostname } = new URL(text);
  if (protocol === 'http:' && !isLoopbackName(hostname))
    return 'must begin with https://: an http page can be modified in transit';
  return undefined;
}

/** `allowed_cors_origins` of a client. */
export const CorsOrigins = z
  .array(
    z
      .string()
      .max(longestOrigin)
      .superRefine((text, { addIssue }) => {
        const message = originProblem(text);
        if (message !== undefined) addIssue({ code: 'custom', message });
      }),
  )
  .max(mostOrigins)
  .meta({
    description:
      'origins whose pages may call the OAuth endpoints as this client, in addition to the origins of the redirect URIs of public clients',
    examples: [['https://app.example', 'capacitor://localhost']],
  });
