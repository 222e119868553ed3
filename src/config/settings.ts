import { resolve, sep } from 'node:path';
import { z } from 'zod';
import { accentOf, readLogo } from '../platform/branding/index.ts';
import { type EdgeRules, parseProxyTrust } from '../platform/http/proxy-trust.ts';
import { Language } from '../platform/languages/index.ts';
import { parseDomainRules } from '../platform/outbound/index.ts';
import { programFolder } from '../platform/program/index.ts';
import { DatabaseUrl, FilePath, isHost, isOrigin, refuse, wholeNumber } from './setting-shapes.ts';

export type SettingName = keyof typeof table;

// Name: [default ('' = none), what it is]. `.env.example` repeats this table.
const table = {
  NODE_ENV: ['development', 'development, production or test; production refuses unsafe settings.'],
  PORT: ['3000', 'Port to listen on; 0 takes a free one.'],
  HOST: ['127.0.0.1', 'Address to listen on.'],
  LATCHKEY_ISSUER: ['', 'Public origin, https in production. In development: http://localhost:PORT.'],
  DATABASE_URL: ['', 'PostgreSQL 15 or later, postgres://user:password@host:5432/name. In development: embedded.'],
  LATCHKEY_MIGRATE_DATABASE_URL: ['', 'The same database as the role that owns its tables. Otherwise DATABASE_URL.'],
  LATCHKEY_DATABASE_POOL: ['10', 'Maximum number of database connections.'],
  LATCHKEY_DATABASE_TIMEOUT_MS: ['1500', 'Milliseconds a request waits for the database before it gets 503.'],
  LATCHKEY_DATABASE_WAIT_SECONDS: ['30', 'How long the server waits for the database at its start.'],
  LATCHKEY_PREPARED_STATEMENTS: ['on', 'on or off; off for a pgbouncer that does not support prepared statements.'],
  LATCHKEY_DATA_DIR: [
    '',
    'Folder of the embedded database and the root key made in development. Otherwise .latchkey in the checkout.',
  ],
  LATCHKEY_ROOT_KEY: [
    '',
    '32 bytes as base64, base64url or hex: openssl rand -base64 32. In development: generated once.',
  ],
  LATCHKEY_APPLY: ['', 'File of configuration as code to apply at start.'],
  LATCHKEY_TRUST_PROXY: [
    'off',
    'off, the number of proxies in front, their addresses and networks (10.0.0.0/8,2001:db8::/32), or on if the first one overwrites the header.',
  ],
  LATCHKEY_ADDRESS_HEADER: [
    'X-Forwarded-For',
    'Header in which trusted proxies give the address of the client: X-Forwarded-For or Forwarded (RFC 7239). The other one is ignored.',
  ],
  LATCHKEY_MAX_HEADER_BYTES: ['16384', 'Most bytes of a request line and its headers, cookies included; more is 431.'],
  LATCHKEY_CLIENT_CERTIFICATE_HEADER: [
    '',
    'Header in which the proxy in front gives a client certificate (RFC 9440, or escaped PEM). Otherwise mutual TLS is off.',
  ],
  LATCHKEY_CLIENT_CA_FILE: ['', 'PEM file of the authorities that issue client certificates, for tls_client_auth.'],
  LATCHKEY_BRAND_NAME: ['Latchkey', 'Name shown on the pages and in mail.'],
  LATCHKEY_BRAND_ACCENT: ['', 'Accent colour of pages and mail, #rrggbb, dark enough to be read on white.'],
  LATCHKEY_BRAND_LOGO: ['', 'PNG, JPEG or WebP file with the logo shown beside the name, at most 256 KiB.'],
  LATCHKEY_LANGUAGE: [
    'en',
    'en or de: language of mail to those whose language is unknown, and of the pages where neither the application nor the browser asks for one of these.',
  ],
  LATCHKEY_DOCS: ['on', 'on or off; off stops serving the docs of this version under /docs.'],
  LATCHKEY_SMTP_URL: [
    '',
    'Mail server, smtp://user:password@host:587 or smtps://…:465. Otherwise links are shown, not mailed.',
  ],
  LATCHKEY_MAIL_FROM: ['', 'Sender of mail, e.g. Latchkey <id@example.com>.'],
  LATCHKEY_NEW_BROWSER_MAIL: [
    'on',
    'on or off. Whether users get an e-mail when they sign in with a browser for the first time.',
  ],
  LATCHKEY_AUDIT_STDOUT: ['off', 'on or off; on writes audit events to standard output as JSON lines.'],
  LATCHKEY_SECRET_SCANNING_KEYS: [
    '',
    'Where a secret scanner publishes its keys, e.g. https://api.github.com/meta/public_keys/secret_scanning; empty: no reports are taken.',
  ],
  LATCHKEY_LEAK_POLICY: [
    'revoke',
    'revoke or flag: whether a credential that is reported as leaked is revoked, or only reported to its owner.',
  ],
  LATCHKEY_CLIENT_DOCUMENTS: [
    'on',
    'on, off, or the domains whose client ID metadata documents are read, each with its subdomains, separated by commas; !example.com refuses one.',
  ],
  LATCHKEY_SIGN_UP: [
    'off',
    'off, open, or the domains of e-mail addresses with which users may create an account themselves, each with its subdomains, separated by commas; !example.com refuses one. Needs a mail server.',
  ],
  LATCHKEY_REGISTRATION: [
    'off',
    'off, token or open: whether clients may register themselves (RFC 7591), with a credential that has latchkey:client:register, or anyone.',
  ],
  LATCHKEY_VAULT_SEAL: [
    'static',
    'static or shamir: whether the root key unseals the secrets, or shares of a key. Read when the secrets are initialized.',
  ],
  LATCHKEY_CLUSTERS: [
    '',
    'API servers of Kubernetes that may be asked about tokens at private addresses: origins such as https://10.96.0.1, separated by commas.',
  ],
  WEB_CONCURRENCY: ['1', 'How many processes serve requests, on machines with several cores.'],
  LATCHKEY_METRICS_PORT: [
    '',
    'Port that serves /metrics for Prometheus, on HOST; not to be published. Otherwise none.',
  ],
  OTEL_EXPORTER_OTLP_ENDPOINT: ['', 'OTLP endpoint for traces, e.g. http://localhost:4318. Otherwise tracing is off.'],
  LOG_LEVEL: ['', 'trace, debug, info, warn, error, fatal or silent. In development: warn; in production: info.'],
  LATCHKEY_ACCESS_TOKEN_SECONDS: ['600', 'Lifetime of an access token.'],
  LATCHKEY_REFRESH_TOKEN_IDLE_SECONDS: ['1209600', 'Lifetime of a refresh token that is not used.'],
  LATCHKEY_REFRESH_TOKEN_ABSOLUTE_SECONDS: ['7776000', 'Lifetime of a refresh token and all its successors together.'],
  LATCHKEY_REFRESH_GRACE_SECONDS: ['30', 'How long a retried refresh receives the same answer; at most 60.'],
  LATCHKEY_SESSION_SECONDS: ['1209600', 'Lifetime of a browser session that no application uses.'],
  LATCHKEY_SESSION_ABSOLUTE_SECONDS: [
    '7776000',
    'Lifetime of a browser session from its last sign-in on, however much it is used.',
  ],
  LATCHKEY_KEY_ACTIVATION_SECONDS: ['600', 'How long a new signing key is published before it signs.'],
  LATCHKEY_API_KEY_ENVIRONMENTS: [
    'dev,staging,prod',
    'Environments of API keys, as in the prefix sk_…_; others are refused.',
  ],
  LATCHKEY_API_KEY_LIMITS: [
    'memory',
    'memory: each node counts rate limits for itself; shared: all nodes together, in the database.',
  ],
} as const satisfies Record<string, readonly [string, string]>;

/** Secrets, and URLs that contain one, may also come from a file named by `NAME_FILE`. */
export const secrets: readonly string[] = [
  'DATABASE_URL',
  'LATCHKEY_MIGRATE_DATABASE_URL',
  'LATCHKEY_ROOT_KEY',
  'LATCHKEY_SMTP_URL',
];

/** Every setting, for documentation: its default ('' = none), and whether `NAME_FILE` is also supported. */
export const settings = Object.entries(table).map(([name, [fallback, description]]) => ({
  name,
  default: fallback,
  description,
  isSecret: secrets.includes(name),
}));

const day = 86_400;
const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
const trustProxyHint =
  'must be off, on, how many proxies are in front, or their addresses and networks separated by commas';
const keyOf32Bytes = /^(?:[0-9A-Fa-f]{64}|[A-Za-z0-9+/]{43}=?|[A-Za-z0-9_-]{43}=?)$/;

/** The schema of the settings as texts. */
export const Environment = z.object({
  NODE_ENV: z.enum(['development', 'production', 'test'], 'must be development, production or test'),
  PORT: wholeNumber(0, 65_535),
  HOST: z.string().refine(isHost, 'must be an IP address or a host name, without scheme and port'),
  LATCHKEY_ISSUER: z
    .string()
    .refine(isOrigin, 'must be a plain origin such as https://id.example.com, in lower case, no trailing slash')
    .optional(),
  DATABASE_URL: DatabaseUrl.optional(),
  LATCHKEY_MIGRATE_DATABASE_URL: DatabaseUrl.optional(),
  LATCHKEY_DATABASE_POOL: wholeNumber(1, 1000),
  LATCHKEY_DATABASE_TIMEOUT_MS: wholeNumber(100, 60_000),
  LATCHKEY_DATABASE_WAIT_SECONDS: wholeNumber(0, 3600),
  LATCHKEY_PREPARED_STATEMENTS: z.enum(['on', 'off'], 'must be on or off').transform((value) => value === 'on'),
  LATCHKEY_DATA_DIR: FilePath.optional(),
  LATCHKEY_ROOT_KEY: z
    .string()
    .regex(keyOf32Bytes, 'must be 32 bytes as base64, base64url or hex: make one with `openssl rand -base64 32`')
    .transform((text) => Buffer.from(text, text.length === 64 ? 'hex' : 'base64'))
    .optional(),
  LATCHKEY_APPLY: FilePath.optional(),
  LATCHKEY_TRUST_PROXY: z.string().transform((text, issues) => parseProxyTrust(text) ?? refuse(issues, trustProxyHint)),
  LATCHKEY_ADDRESS_HEADER: z
    .string()
    .toLowerCase()
    .pipe(z.enum(['x-forwarded-for', 'forwarded'], 'must be X-Forwarded-For or Forwarded')),
  LATCHKEY_MAX_HEADER_BYTES: wholeNumber(8192, 131_072),
  LATCHKEY_CLIENT_CERTIFICATE_HEADER: z
    .string()
    .regex(/^[A-Za-z0-9-]{1,64}$/, 'must be the name of a header')
    .optional(),
  LATCHKEY_CLIENT_CA_FILE: FilePath.optional(),
  LATCHKEY_BRAND_NAME: z.string().regex(/^\P{Cc}{1,64}$/u, 'must be at most 64 characters without control characters'),
  LATCHKEY_BRAND_ACCENT: z
    .string()
    .regex(/^#[0-9A-Fa-f]{6}$/, { error: 'must be a colour such as #1f5f5b', abort: true })
    .transform((hex, issues) => {
      const accent = accentOf(hex);
      return 'problem' in accent ? refuse(issues, accent.problem) : accent;
    })
    .optional(),
  LATCHKEY_BRAND_LOGO: FilePath.transform((path, issues) => {
    const logo = readLogo(path);
    return 'problem' in logo ? refuse(issues, logo.problem) : logo;
  }).optional(),
  LATCHKEY_LANGUAGE: z.enum(Language.options, 'must be en or de'),
  LATCHKEY_SMTP_URL: z.url({ protocol: /^smtps?$/, error: 'must be a URL, smtp:// or smtps://' }).optional(),
  LATCHKEY_MAIL_FROM: z
    .string()
    .regex(
      /^(?:[^\p{Cc}<>@]{0,100}<[^\p{Cc}\s<>@]+@[^\p{Cc}\s<>@]+>|[^\p{Cc}\s<>@]+@[^\p{Cc}\s<>@]+)$/u,
      'must be an address, or a name and an address in <>',
    )
    .optional(),
  LATCHKEY_DOCS: z.enum(['on', 'off'], 'must be on or off').transform((value) => value === 'on'),
  LATCHKEY_NEW_BROWSER_MAIL: z.enum(['on', 'off'], 'must be on or off').transform((value) => value === 'on'),
  LATCHKEY_AUDIT_STDOUT: z.enum(['on', 'off'], 'must be on or off').transform((value) => value === 'on'),
  LATCHKEY_SECRET_SCANNING_KEYS: z.url({ protocol: /^https?$/, error: 'must be an http or https URL' }).optional(),
  LATCHKEY_LEAK_POLICY: z.enum(['revoke', 'flag'], 'must be revoke or flag'),
  LATCHKEY_CLIENT_DOCUMENTS: z.string().transform((text, issues) => {
    if (text === 'off') return undefined;
    if (text === 'on') return { allowed: [], refused: [] };
    return parseDomainRules(text) ?? refuse(issues, 'must be on, off, or domains separated by commas, in lower case');
  }),
  LATCHKEY_SIGN_UP: z.string().transform((text, issues) => {
    if (text === 'off') return undefined;
    if (text === 'open') return { allowed: [], refused: [] };
    // A word without a dot is more likely a mistyped value than a domain that receives mail.
    const rules = /(?:^|,)!?[^.,]+(?:,|$)/.test(text) ? undefined : parseDomainRules(text);
    return rules ?? refuse(issues, 'must be off, open, or domains separated by commas, in lower case');
  }),
  LATCHKEY_REGISTRATION: z.enum(['off', 'token', 'open'], 'must be off, token or open'),
  LATCHKEY_VAULT_SEAL: z.enum(['static', 'shamir'], 'must be static or shamir'),
  LATCHKEY_CLUSTERS: z
    .string()
    .transform((text) => text.split(',').filter(Boolean))
    .refine(
      (origins) => origins.every((origin) => origin.startsWith('https://') && isOrigin(origin)),
      'must be origins such as https://10.96.0.1, separated by commas',
    )
    .optional(),
  WEB_CONCURRENCY: wholeNumber(1, 64),
  LATCHKEY_METRICS_PORT: wholeNumber(1, 65_535).optional(),
  OTEL_EXPORTER_OTLP_ENDPOINT: z.url({ protocol: /^https?$/, error: 'must be an http or https URL' }).optional(),
  LOG_LEVEL: z.enum(logLevels, 'must be a level from trace to fatal, or silent').optional(),
  LATCHKEY_ACCESS_TOKEN_SECONDS: wholeNumber(1, day),
  LATCHKEY_REFRESH_TOKEN_IDLE_SECONDS: wholeNumber(1, 366 * day),
  LATCHKEY_REFRESH_TOKEN_ABSOLUTE_SECONDS: wholeNumber(1, 1830 * day),
  LATCHKEY_REFRESH_GRACE_SECONDS: wholeNumber(0, 60),
  LATCHKEY_SESSION_SECONDS: wholeNumber(1, 366 * day),
  LATCHKEY_SESSION_ABSOLUTE_SECONDS: wholeNumber(1, 366 * day),
  LATCHKEY_KEY_ACTIVATION_SECONDS: wholeNumber(0, 7 * day),
  LATCHKEY_API_KEY_ENVIRONMENTS: z
    .string()
    .regex(
      /^[a-z][a-z0-9]{0,15}(,[a-z][a-z0-9]{0,15}){0,31}$/,
      'must be names of lowercase letters and digits, starting with a letter, separated by commas',
    )
    .transform((names) => names.split(',')),
  LATCHKEY_API_KEY_LIMITS: z.enum(['memory', 'shared'], 'must be memory or shared'),
} satisfies Record<SettingName, z.ZodType>);

// The same in whatever folder a command is started. An update replaces the whole installed package, so no data is kept in it.
const ownDataDir = resolve(programFolder.split(sep).includes('node_modules') ? '.' : programFolder, '.latchkey');

/** The settings by their names in the program. */
export function toConfig(values: z.output<typeof Environment>) {
  const { NODE_ENV, PORT, LATCHKEY_CLIENT_CERTIFICATE_HEADER: certificateHeader } = values;
  return {
    environment: NODE_ENV,
    /** 0: any free port. */
    port: PORT,
    host: values.HOST,
    /** An origin; undefined until the server listens when neither it nor the port is fixed. */
    issuer: values.LATCHKEY_ISSUER ?? (PORT === 0 ? undefined : new URL(`http://localhost:${PORT}`).origin),
    /** Whether the issuer was set; otherwise it follows from the port. */
    isIssuerChosen: values.LATCHKEY_ISSUER !== undefined,
    /** undefined: the embedded PostgreSQL. */
    databaseUrl: values.DATABASE_URL,
    /** undefined: migrations run as the role of `databaseUrl`. */
    migrateDatabaseUrl: values.LATCHKEY_MIGRATE_DATABASE_URL,
    databasePoolSize: values.LATCHKEY_DATABASE_POOL,
    databaseTimeoutMs: values.LATCHKEY_DATABASE_TIMEOUT_MS,
    databaseWaitSeconds: values.LATCHKEY_DATABASE_WAIT_SECONDS,
    preparedStatements: values.LATCHKEY_PREPARED_STATEMENTS,
    dataDir: values.LATCHKEY_DATA_DIR ?? ownDataDir,
    /** Whether it was set; otherwise it is the folder of this program. */
    isDataDirChosen: values.LATCHKEY_DATA_DIR !== undefined,
    /** 32 bytes; undefined, never in production: the one kept in `dataDir`. */
    rootKey: values.LATCHKEY_ROOT_KEY,
    /** Configuration as code to apply at start. */
    applyFile: values.LATCHKEY_APPLY,
    /** How the address of a client is determined. */
    edge: {
      trust: values.LATCHKEY_TRUST_PROXY,
      addressHeader: values.LATCHKEY_ADDRESS_HEADER,
      proxyHeaders: certificateHeader === undefined ? [] : [certificateHeader.toLowerCase()],
    } satisfies EdgeRules,
    /** The limit for a request line and its headers together. */
    maxHeaderBytes: values.LATCHKEY_MAX_HEADER_BYTES,
    /** Where the trusted proxy puts a client certificate; undefined: mutual TLS is off. */
    clientCertificateHeader: certificateHeader,
    clientCaFile: values.LATCHKEY_CLIENT_CA_FILE,
    brandName: values.LATCHKEY_BRAND_NAME,
    /** undefined: the default colour. */
    brandAccent: values.LATCHKEY_BRAND_ACCENT,
    /** undefined: a drawing of a key. */
    brandLogo: values.LATCHKEY_BRAND_LOGO,
    language: values.LATCHKEY_LANGUAGE,
    /** Whether the docs are served. */
    docs: values.LATCHKEY_DOCS,
    /** undefined: no mail is sent. */
    mail:
      values.LATCHKEY_SMTP_URL && values.LATCHKEY_MAIL_FROM
        ? { url: values.LATCHKEY_SMTP_URL, from: values.LATCHKEY_MAIL_FROM, brand: brandOf(values) }
        : undefined,
    /** Whether audit events also go to standard output. */
    auditToStdout: values.LATCHKEY_AUDIT_STDOUT,
    /** undefined: reports of leaks are not accepted. */
    secretScanningKeys: values.LATCHKEY_SECRET_SCANNING_KEYS,
    leakPolicy: values.LATCHKEY_LEAK_POLICY,
    /** The hosts whose client ID metadata documents are read; undefined: none. */
    clientDocuments: values.LATCHKEY_CLIENT_DOCUMENTS,
    /** The e-mail domains with which users can create accounts themselves; undefined: none. */
    signUp: values.LATCHKEY_SIGN_UP,
    /** Origins of clusters that may review tokens, whatever their addresses. */
    clusters: values.LATCHKEY_CLUSTERS ?? [],
    /** Who may register clients themselves. */
    registration: values.LATCHKEY_REGISTRATION,
    /** The seal type of secrets that are not initialized yet. */
    vaultSeal: values.LATCHKEY_VAULT_SEAL,
    workers: values.WEB_CONCURRENCY,
    /** undefined: metrics are not served. */
    metricsPort: values.LATCHKEY_METRICS_PORT,
    /** undefined: no traces. */
    traceEndpoint: values.OTEL_EXPORTER_OTLP_ENDPOINT,
    logLevel: values.LOG_LEVEL ?? (NODE_ENV === 'production' ? 'info' : 'warn'),
    accessTokenSeconds: values.LATCHKEY_ACCESS_TOKEN_SECONDS,
    refreshTokenIdleSeconds: values.LATCHKEY_REFRESH_TOKEN_IDLE_SECONDS,
    refreshTokenAbsoluteSeconds: values.LATCHKEY_REFRESH_TOKEN_ABSOLUTE_SECONDS,
    refreshGraceSeconds: values.LATCHKEY_REFRESH_GRACE_SECONDS,
    sessionSeconds: Math.min(values.LATCHKEY_SESSION_SECONDS, values.LATCHKEY_SESSION_ABSOLUTE_SECONDS),
    sessionAbsoluteSeconds: values.LATCHKEY_SESSION_ABSOLUTE_SECONDS,
    mailsNewBrowsers: values.LATCHKEY_NEW_BROWSER_MAIL,
    /** How long a new signing key is published before it signs. */
    keyActivationSeconds: values.LATCHKEY_KEY_ACTIVATION_SECONDS,
    /** Environments of API keys. */
    apiKeyEnvironments: values.LATCHKEY_API_KEY_ENVIRONMENTS,
    /** Where the rate limits of API keys are counted. */
    apiKeyLimits: values.LATCHKEY_API_KEY_LIMITS,
  };
}

const brandOf = (values: z.output<typeof Environment>) => ({
  name: values.LATCHKEY_BRAND_NAME,
  accent: values.LATCHKEY_BRAND_ACCENT?.light,
  logo: values.LATCHKEY_BRAND_LOGO,
});
