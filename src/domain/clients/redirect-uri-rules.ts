import { isLoopbackName } from '../../platform/http/index.ts';

const scriptingSchemes: ReadonlySet<string> = new Set([
  'javascript:',
  'vbscript:',
  'data:',
  'blob:',
  'file:',
  'about:',
]);

/** What is wrong with a redirect URI of any client (RFC 9700 §2.1, RFC 6749 §3.1.2); undefined: nothing. */
export function redirectProblem(uri: string): string | undefined {
  const { href, protocol, hostname, username, password } = URL.parse(uri) ?? {};
  const quoted = JSON.stringify(uri);
  if (!href || !protocol || /[^\u0021-\u007e]|[\\<>"^`{|}]/.test(uri)) return `${quoted} is not an address`;
  if (uri.includes('*')) return `${quoted} is compared exactly: "*" is not a wildcard`;
  if (username || password) return `${quoted} must not contain a user name`;
  if (href.includes('#')) return `${quoted} must not contain "#"`;
  if (scriptingSchemes.has(protocol)) return `${quoted} must not begin with ${protocol}`;
  const isPlain = protocol === 'http:' && !isLoopbackName(hostname ?? '');
  return isPlain
    ? `${quoted} must begin with https://: over http, codes and tokens could be read in transit`
    : undefined;
}

/** What is wrong with a redirect URI for this type of application (RFC 8252 §7); undefined: nothing. */
export function applicationProblem(uri: string, application_type: 'web' | 'native'): string | undefined {
  const { protocol = '', hostname = '' } = URL.parse(uri) ?? {};
  const quoted = JSON.stringify(uri);
  if (application_type === 'web' && !['https:', 'http:'].includes(protocol))
    return `${quoted} of a web client must begin with https:// (http:// on loopback addresses); other schemes need the application_type native`;
  if (application_type === 'native' && protocol === 'https:' && isLoopbackName(hostname))
    return `${quoted} of a native client on a loopback address must begin with http://`;
  return undefined;
}
