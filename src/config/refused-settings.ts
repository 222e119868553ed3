import { isIPv4 } from 'node:net';
import { distance } from 'fastest-levenshtein';
import { isOrigin } from './setting-shapes.ts';
import { type SettingName, secrets, settings } from './settings.ts';

// Passwords and tokens would cross the network in plain text, and browsers refuse passkeys and secure cookies there.
const insecureIssuer =
  'LATCHKEY_ISSUER must begin with https://, unless its host is a loopback address: use http://localhost:3000 on this machine, or put a proxy with TLS in front (docs/deploy.md).';

/** Settings that are convenient in development and unsafe in production. */
export function unsafeSettings(texts: Record<string, string | undefined>, env: NodeJS.ProcessEnv): string[] {
  const isSet = (name: SettingName) => Boolean(texts[name] || env[`${name}_FILE`]);
  const demands: [SettingName, string][] = isSet('LATCHKEY_MIGRATE_DATABASE_URL')
    ? [['DATABASE_URL', 'where LATCHKEY_MIGRATE_DATABASE_URL is: both name the same database']]
    : [];
  if (isSet('LATCHKEY_CLIENT_CERTIFICATE_HEADER') && texts.LATCHKEY_TRUST_PROXY === 'off')
    demands.push([
      'LATCHKEY_TRUST_PROXY',
      'on with LATCHKEY_CLIENT_CERTIFICATE_HEADER: otherwise any client could send that header',
    ]);
  if (isSet('LATCHKEY_SMTP_URL')) demands.push(['LATCHKEY_MAIL_FROM', 'with LATCHKEY_SMTP_URL: mail has a sender']);
  if (isSet('LATCHKEY_MAIL_FROM'))
    demands.push(['LATCHKEY_SMTP_URL', 'with LATCHKEY_MAIL_FROM: it says who sends mail']);
  if (texts.NODE_ENV === 'production') demands.push(...productionDemands);
  const problems = demands.filter(([name]) => !isSet(name)).map(([name, why]) => `${name} must be set ${why}.`);
  if (texts.LATCHKEY_SIGN_UP !== 'off' && !isSet('LATCHKEY_SMTP_URL'))
    problems.push('LATCHKEY_SIGN_UP needs LATCHKEY_SMTP_URL: users verify their e-mail address with a link.');
  // No one could give shares to each of several processes behind one address.
  if (texts.LATCHKEY_VAULT_SEAL === 'shamir' && texts.WEB_CONCURRENCY !== '1')
    problems.push('WEB_CONCURRENCY must be 1 where LATCHKEY_VAULT_SEAL is shamir: each process is unsealed by itself.');
  return isInsecure(texts.LATCHKEY_ISSUER ?? '') ? [...problems, insecureIssuer] : problems;
}

const productionDemands: readonly [SettingName, string][] = [
  ['LATCHKEY_ISSUER', 'in production: the https origin at which users and clients reach this server'],
  ['LATCHKEY_ROOT_KEY', 'in production: generate it once with `openssl rand -base64 32` and keep it'],
  ['DATABASE_URL', 'in production: the embedded database is for development only'],
];

/** Variables of `latchkey api` only. They may be set in the shell in which other commands run. */
const ofCommands = ['LATCHKEY_URL', 'LATCHKEY_TOKEN', 'LATCHKEY_PROFILE'];

/** Otherwise a mistyped name would silently leave the default in effect. */
export function unknownSettings(env: NodeJS.ProcessEnv): string[] {
  // Only settings are suggested, not variables of commands.
  const named = [...settings.map(({ name }) => name), ...secrets.map((name) => `${name}_FILE`)];
  const known = [...ofCommands, ...named];
  return Object.keys(env)
    .filter((name) => env[name] && /^LATCHKEY_(?!TEST_)/i.test(name) && !known.includes(name))
    .filter((name) => !isServiceLink(name, env[name] ?? ''))
    .map((name) => `${name} is not a setting; did you mean ${nearest(name, named)}?`);
}

// Kubernetes sets variables with that prefix in every container if there is a service named `latchkey…`.
function isServiceLink(name: string, value: string): boolean {
  return (
    /_SERVICE_(HOST|PORT(_\w+)?)$|_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$/.test(name) ||
    /^(tcp|udp|sctp):/.test(value)
  );
}

function nearest(name: string, known: readonly string[]): string {
  const bare = (text: string) => text.toUpperCase().replace('LATCHKEY_', '');
  const edits = known.map((candidate) => distance(bare(name), bare(candidate)));
  return known[edits.indexOf(Math.min(...edits))] ?? '';
}

/** Plain http beyond this machine. */
function isInsecure(issuer: string): boolean {
  if (!isOrigin(issuer) || issuer.startsWith('https:')) return false;
  const { hostname } = new URL(issuer);
  return !['localhost', '[::1]'].includes(hostname) && !(isIPv4(hostname) && hostname.startsWith('127.'));
}
