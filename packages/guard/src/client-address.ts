import { isIP, isIPv4 } from 'node:net';

/**
 * The address to send to Latchkey, which refuses any other form: without the zone that Node adds for link-local connections, and
 * without the port that some proxies add (`203.0.113.7:50123`, `[2001:db8::5]:443`).
 *
 * @returns undefined for an invalid address; a key that is restricted to addresses is refused then
 */
export function clientAddress(text: string | undefined): string | undefined {
  const [named = ''] = (text ?? '').trim().split('%');
  if (isIP(named)) return named;
  const [, bracketed, dotted] = /^(?:\[([\da-fA-F:.]+)\]|([\d.]+))(?::\d{1,5})?$/.exec(named) ?? [];
  if (dotted !== undefined) return isIPv4(dotted) ? dotted : undefined;
  return bracketed !== undefined && isIP(bracketed) === 6 ? bracketed : undefined;
}
