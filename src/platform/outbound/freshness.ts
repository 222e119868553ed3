import type { IncomingHttpHeaders } from 'node:http';

/**
 * For how many seconds a shared cache may use a response without revalidation (RFC 9111 §4.2); undefined: the response does not say.
 *
 * @param now the time at which it was received
 */
export function freshSeconds(headers: IncomingHttpHeaders, now: Date): number | undefined {
  const directives = new Map(
    (headers['cache-control'] ?? '').split(',').map((directive): [string, string] => {
      const [name = '', value = ''] = directive.trim().toLowerCase().split('=');
      return [name, value.replaceAll('"', '')];
    }),
  );
  if (directives.has('no-store') || directives.has('no-cache') || directives.has('private')) return 0;
  const stated = wholeSeconds(directives.get('s-maxage')) ?? wholeSeconds(directives.get('max-age'));
  const lifetime = stated ?? secondsUntil(headers.expires, headers.date, now);
  if (lifetime === undefined) return undefined;
  return Math.max(0, lifetime - (wholeSeconds(headers.age) ?? 0));
}

function wholeSeconds(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : undefined;
}

/** An invalid `Expires` is in the past (RFC 9111 §5.3). */
function secondsUntil(expires: string | undefined, date: string | undefined, now: Date): number | undefined {
  if (expires === undefined) return undefined;
  const sent = Date.parse(date ?? '');
  const seconds = (Date.parse(expires) - (Number.isNaN(sent) ? now.getTime() : sent)) / 1000;
  return Number.isNaN(seconds) ? 0 : seconds;
}
