import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { settings } from '../src/config/settings.ts';
import { ConfigError, loadConfig, readConfig } from '../src/config.ts';

const key = randomBytes(32);
const production = {
  NODE_ENV: 'production',
  LATCHKEY_ISSUER: 'https://id.example.com',
  LATCHKEY_ROOT_KEY: key.toString('base64'),
  DATABASE_URL: 'postgres://latchkey:password@db/latchkey',
};
const words = (text: string) => text.trim().split(/\s+/);

/** The problems of these settings, one a line. */
function problems(env: NodeJS.ProcessEnv): string[] {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n');
    throw error;
  }
  return [];
}

describe('the settings in force', () => {
  const named = (env: NodeJS.ProcessEnv, name: string) => readConfig(env).settings.find((each) => each.name === name);

  test('are listed with the source of each value', () => {
    expect(named({ PORT: '8080' }, 'PORT')).toMatchObject({ value: '8080', source: 'environment' });
    expect(named({}, 'PORT')).toMatchObject({ value: '3000', source: 'default' });
    expect(named({}, 'LATCHKEY_MAIL_FROM')).toMatchObject({ value: null, source: 'unset' });
  });

  test('contain no secret, and no part of a URL except its address', () => {
    const OTEL_EXPORTER_OTLP_ENDPOINT = 'https://name:hidden@traces.example:4318/v1?token=hidden';
    const { settings: inForce } = readConfig({ ...production, OTEL_EXPORTER_OTLP_ENDPOINT });
    const text = JSON.stringify(inForce.map(({ value }) => value));
    for (const secret of [':password', key.toString('base64'), 'hidden']) expect(text).not.toContain(secret);
    expect(text).toContain('https://traces.example:4318/v1');
  });
});

describe('the configuration without any setting', () => {
  test('is the one for local development', () => {
    const issuer = { issuer: 'http://localhost:3000', isIssuerChosen: false };
    const server = { environment: 'development', port: 3000, host: '127.0.0.1', ...issuer };
    const storage = {
      dataDir: resolve('.latchkey'),
      isDataDirChosen: false,
      databasePoolSize: 10,
      databaseTimeoutMs: 1500,
      databaseWaitSeconds: 30,
      preparedStatements: true,
    };
    const edges = {
      edge: { trust: 'none', addressHeader: 'x-forwarded-for', proxyHeaders: [] },
      maxHeaderBytes: 16_384,
    };
    const refresh = {
      refreshTokenIdleSeconds: 1_209_600,
      refreshTokenAbsoluteSeconds: 7_776_000,
      refreshGraceSeconds: 30,
    };
    const others = {
      brandName: 'Latchkey',
      language: 'en',
      docs: true,
      logLevel: 'warn',
      mail: undefined,
      auditToStdout: false,
      leakPolicy: 'revoke',
      vaultSeal: 'static',
      clusters: [],
      workers: 1,
      accessTokenSeconds: 600,
      sessionSeconds: 1_209_600,
      sessionAbsoluteSeconds: 7_776_000,
      mailsNewBrowsers: true,
      keyActivationSeconds: 600,
    };
    const apiKeys = { apiKeyEnvironments: ['dev', 'staging', 'prod'], apiKeyLimits: 'memory' };
    const documents = { clientDocuments: { allowed: [], refused: [] }, registration: 'off' };
    const { settings: _, ...config } = readConfig({});
    expect(config).toEqual({ ...server, ...storage, ...edges, ...refresh, ...others, ...apiKeys, ...documents });
  });

  test('is the same when every setting is empty or set to its default', () => {
    const empty = Object.fromEntries(settings.flatMap(({ name }) => [name, `${name}_FILE`]).map((name) => [name, '']));
    const defaults = Object.fromEntries(settings.map(({ name, default: value }) => [name, value]));
    expect(readConfig({ ...empty, LATCHKEY_ISUER: '' })).toEqual(readConfig({}));
    const { settings: chosen, ...config } = readConfig(defaults);
    expect({ ...config, settings: [] }).toEqual({ ...readConfig({}), settings: [] });
    expect(chosen.map(({ value }) => value)).toEqual(readConfig({}).settings.map(({ value }) => value));
  });
});

describe('the settings of API keys', () => {
  test('name the allowed environments and where limits are counted', () => {
    const set = { LATCHKEY_API_KEY_ENVIRONMENTS: 'live,test1', LATCHKEY_API_KEY_LIMITS: 'shared' };
    expect(readConfig(set)).toMatchObject({ apiKeyEnvironments: ['live', 'test1'], apiKeyLimits: 'shared' });
  });

  test.each(['Prod', 'a_b', '1st', 'dev,', 'dev, prod', 'a'.repeat(17)])('are refused as %j', (names) =>
    expect(() => readConfig({ LATCHKEY_API_KEY_ENVIRONMENTS: names })).toThrow('LATCHKEY_API_KEY_ENVIRONMENTS must be'),
  );
});

describe('the list of domains for sign-up', () => {
  const mail = { LATCHKEY_SMTP_URL: 'smtp://localhost', LATCHKEY_MAIL_FROM: 'id@example.com' };

  test('is empty, open, or has domains', () => {
    expect(readConfig({}).signUp).toBeUndefined();
    expect(readConfig({ ...mail, LATCHKEY_SIGN_UP: 'open' }).signUp).toEqual({ allowed: [], refused: [] });
    const named = readConfig({ ...mail, LATCHKEY_SIGN_UP: 'example.com,!bad.example.com' }).signUp;
    expect(named).toEqual({ allowed: ['example.com'], refused: ['bad.example.com'] });
  });

  test.each(['on', 'true', '*', '@example.com', 'Example.com', 'example.com,on'])('is refused as %j', (text) =>
    expect(() => readConfig({ ...mail, LATCHKEY_SIGN_UP: text })).toThrow('LATCHKEY_SIGN_UP must be'),
  );

  test('needs a mail server', () =>
    expect(() => readConfig({ LATCHKEY_SIGN_UP: 'open' })).toThrow('LATCHKEY_SIGN_UP needs LATCHKEY_SMTP_URL'));
});

test('the configuration of this process comes from its environment', () =>
  expect(loadConfig().environment).toBe('test'));

test('.env.example describes each setting with its default, and has nothing else', () => {
  const text = readFileSync(new URL('../.env.example', import.meta.url), 'utf8');
  const [, ...documented] = text.trimEnd().split('\n\n');
  const secretFile = (name: string) => `\n#${name}_FILE=`;
  expect(documented).toEqual(
    settings.map((s) => `# ${s.description}\n#${s.name}=${s.default}${s.isSecret ? secretFile(s.name) : ''}`),
  );
});

describe('an issuer', () => {
  test.each(
    words(`https://id.example.com https://id.example.com:8443 https://xn--bcher-kva.example
      http://localhost:3000 http://127.0.0.1:3000 http://[::1]:3000`),
  )('may be %s', (issuer) => expect(readConfig({ LATCHKEY_ISSUER: issuer }).issuer).toBe(issuer));

  test.each(
    words(`id.example.com https://id.example.com/ https://id.example.com/auth https://id.example.com?a=b
      https://id.example.com? https://id.example.com#a https://user:password@id.example.com https://ID.example.com
      https://id.example.com:443 https://*.example.com https://bücher.example ftp://id.example.com https://`),
  )('may not be %s', (issuer) => {
    expect(problems({ LATCHKEY_ISSUER: issuer })).toEqual([expect.stringMatching(/^LATCHKEY_ISSUER must be .*origin/)]);
  });

  test('follows the port in development; with port 0 it is unknown until the server listens', () => {
    expect(readConfig({ PORT: '8080' }).issuer).toBe('http://localhost:8080');
    expect(readConfig({ PORT: '80' }).issuer).toBe('http://localhost');
    expect(readConfig({ PORT: '0' })).toMatchObject({ port: 0, issuer: undefined });
    expect(readConfig({ PORT: '0', LATCHKEY_ISSUER: 'https://id.example.com' }).issuer).toBe('https://id.example.com');
  });
});

describe('the root key', () => {
  const bytes = Buffer.from(`fbff${'00'.repeat(29)}ff`, 'hex');

  test('is read as base64, base64url or hex', () => {
    const [base64, base64url, hex] = [bytes.toString('base64'), bytes.toString('base64url'), bytes.toString('hex')];
    for (const text of [base64, base64.slice(0, -1), base64url, hex, hex.toUpperCase()])
      expect(readConfig({ LATCHKEY_ROOT_KEY: text }).rootKey).toEqual(bytes);
  });

  test.each([
    ['31 bytes', key.subarray(1).toString('base64')],
    ['33 bytes', Buffer.concat([key, Buffer.of(1)]).toString('base64')],
    ['31 bytes in hex', key.subarray(1).toString('hex')],
    ['a password', 'correct horse battery staple'],
    ['both alphabets of base64 at once', `+_${'A'.repeat(41)}`],
  ])('is not %s, and is not quoted', (_, text) => {
    const found = problems({ LATCHKEY_ROOT_KEY: text });
    expect(found).toEqual([expect.stringMatching(/^LATCHKEY_ROOT_KEY must be 32 bytes .*openssl rand -base64 32/)]);
    expect(found.join()).not.toContain(text);
  });
});

describe('a secret in a file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-config-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const file = (name: string, content: string) => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };

  test.each(['', '\n', '\r\n'])('is read without its last line break %j', (end) => {
    const LATCHKEY_ROOT_KEY_FILE = file('key', key.toString('hex') + end);
    const DATABASE_URL_FILE = file('url', `postgres://a:b@db/c${end}`);
    const LATCHKEY_MIGRATE_DATABASE_URL_FILE = file('owner', `postgres://o:p@db/c${end}`);
    const config = readConfig({ LATCHKEY_ROOT_KEY_FILE, DATABASE_URL_FILE, LATCHKEY_MIGRATE_DATABASE_URL_FILE });
    expect(config.rootKey).toEqual(key);
    expect(config).toMatchObject({ databaseUrl: 'postgres://a:b@db/c', migrateDatabaseUrl: 'postgres://o:p@db/c' });
  });

  test('satisfies production', () => {
    const { LATCHKEY_ROOT_KEY, ...rest } = production;
    expect(problems({ ...rest, LATCHKEY_ROOT_KEY_FILE: file('key', LATCHKEY_ROOT_KEY) })).toEqual([]);
  });

  test('is refused beside the secret itself', () => {
    const both = { DATABASE_URL: 'postgres://a:b@db/c', DATABASE_URL_FILE: file('url', 'postgres://a:b@db/c') };
    expect(problems(both)).toEqual(['DATABASE_URL and DATABASE_URL_FILE are both set; unset one.']);
  });

  const unreadable = '_FILE must name a file that can be read (';
  test.each([
    ['absent', () => join(folder, 'nowhere'), `${unreadable}ENOENT).`],
    ['a folder', () => folder, `${unreadable}EISDIR).`],
    ['empty', () => file('empty', '\n'), '_FILE names an empty file.'],
    ['nonsense', () => file('nonsense', 'nonsense'), ' must be 32 bytes'],
    ['the secret where its path should be', () => key.toString('hex'), unreadable],
  ])('is refused in one sentence when it is %s, in production too', (_, path, sentence) => {
    const LATCHKEY_ROOT_KEY_FILE = path();
    expect(problems({ LATCHKEY_ROOT_KEY_FILE })).toEqual([expect.stringContaining(`LATCHKEY_ROOT_KEY${sentence}`)]);
    expect(problems({ ...production, LATCHKEY_ROOT_KEY: '', LATCHKEY_ROOT_KEY_FILE })).toHaveLength(1);
    expect(problems({ LATCHKEY_ROOT_KEY_FILE }).join()).not.toContain(key.toString('hex'));
  });
});

describe('a setting', () => {
  const socket = 'postgresql:///latchkey?host=/run/postgresql';
  const durations = settings.map(({ name }) => name).filter((name) => name.endsWith('_SECONDS'));

  test.each([
    ['PORT', '65535', { port: 65_535 }],
    ['HOST', '::1', { host: '::1' }],
    ['DATABASE_URL', socket, { databaseUrl: socket }],
    ['LATCHKEY_DATABASE_POOL', '64', { databasePoolSize: 64 }],
    ['LATCHKEY_DATABASE_TIMEOUT_MS', '5000', { databaseTimeoutMs: 5000 }],
    ['LATCHKEY_PREPARED_STATEMENTS', 'off', { preparedStatements: false }],
    ['LATCHKEY_DATA_DIR', '/var/lib/latchkey/', { dataDir: '/var/lib/latchkey' }],
    ['LATCHKEY_APPLY', 'latchkey.yaml', { applyFile: resolve('latchkey.yaml') }],
    [
      'LATCHKEY_CLUSTERS',
      'https://10.96.0.1,https://k8s.example:6443',
      { clusters: ['https://10.96.0.1', 'https://k8s.example:6443'] },
    ],
    ['LATCHKEY_TRUST_PROXY', 'on', { edge: { trust: 'all' } }],
    ['LATCHKEY_TRUST_PROXY', '2', { edge: { trust: { hops: 2 } } }],
    ['LATCHKEY_TRUST_PROXY', '10.0.0.0/8, 2001:db8::1', { edge: { trust: { networks: {} } } }],
    ['LATCHKEY_ADDRESS_HEADER', 'Forwarded', { edge: { addressHeader: 'forwarded' } }],
    ['LATCHKEY_BRAND_NAME', 'Größe & Söhne', { brandName: 'Größe & Söhne' }],
    ['LATCHKEY_BRAND_ACCENT', '#1F5F5B', { brandAccent: { light: '#1f5f5b', on_light: '#ffffff' } }],
    ['LATCHKEY_LANGUAGE', 'de', { language: 'de' }],
    ['LATCHKEY_DOCS', 'off', { docs: false }],
    ['LOG_LEVEL', 'silent', { logLevel: 'silent' }],
    ['NODE_ENV', 'test', { environment: 'test', logLevel: 'warn', issuer: 'http://localhost:3000' }],
  ])('may be %s=%s', (name, value, expected) => expect(readConfig({ [name]: value })).toMatchObject(expected));

  test.each(durations)('%s is a number of seconds', (name) => {
    const member = name
      .slice('LATCHKEY_'.length)
      .toLowerCase()
      .replace(/_./g, ([, letter = '']) => letter.toUpperCase());
    expect(readConfig({ [name]: '59' })).toHaveProperty(member, 59);
  });

  test.each([
    ['NODE_ENV', ['staging', 'Production']],
    ['PORT', ['65536', '-1', '0x10', '3e3', ' 1']],
    ['HOST', ['http://localhost', 'localhost:3000']],
    ['DATABASE_URL', ['mysql://user:hunter2@db/latchkey', 'user=latchkey password=hunter2']],
    ['LATCHKEY_DATABASE_POOL', ['0']],
    ['LATCHKEY_DATABASE_TIMEOUT_MS', ['99', '60001', '1.5', '2s']],
    ['LATCHKEY_PREPARED_STATEMENTS', ['true']],
    ['LATCHKEY_TRUST_PROXY', ['0', '1.5', '10.0.0.0/33', '10.0.0.0/8 ::1', 'fe80::1%eth0', '10.0.0.1:80', '10.1,']],
    ['LATCHKEY_ADDRESS_HEADER', ['X-Real-IP', 'Forwarded, X-Forwarded-For']],
    ['LATCHKEY_BRAND_NAME', ['two\nlines', 'x'.repeat(65)]],
    ['LATCHKEY_BRAND_ACCENT', ['red', '#fff', '#ffcc00', '#7f7f7f']],
    ['LATCHKEY_BRAND_LOGO', [import.meta.filename]],
    ['LATCHKEY_LANGUAGE', ['fr', 'DE']],
    ['LOG_LEVEL', ['verbose']],
    ['LATCHKEY_ACCESS_TOKEN_SECONDS', ['0', '86401']],
    ['LATCHKEY_REFRESH_GRACE_SECONDS', ['61']],
    ...durations.map((name): [string, string[]] => [name, ['-1', '1.5', '10m', '99999999999']]),
  ])('%s may not be any of %j; one sentence says what it must be', (name, values) => {
    for (const value of values) {
      const [problem, ...more] = problems({ [name]: value });
      expect(problem).toMatch(new RegExp(`^${name} must be .+\\.$`));
      expect(problem).not.toContain('hunter2');
      expect(more).toEqual([]);
    }
  });

  test('that is wrong is reported together with the others, a line each', () => {
    const found = problems({ NODE_ENV: 'production', PORT: 'x', LOG_LEVEL: 'loud', LATCHKEY_ISUER: 'https://a' });
    expect(found.map((line) => line.split(' ')[0])).toEqual(
      words('LATCHKEY_ISUER PORT LOG_LEVEL LATCHKEY_ISSUER LATCHKEY_ROOT_KEY DATABASE_URL'),
    );
  });

  test('for the migrating role requires DATABASE_URL too', () => {
    const refusal = expect.stringMatching(/^DATABASE_URL must be set where LATCHKEY_MIGRATE_DATABASE_URL is/);
    expect(problems({ LATCHKEY_MIGRATE_DATABASE_URL: 'postgres://o:p@db/c' })).toEqual([refusal]);
  });
});

describe('a mistyped name', () => {
  test.each([
    ['LATCHKEY_ISUER', 'LATCHKEY_ISSUER'],
    ['latchkey_issuer', 'LATCHKEY_ISSUER'],
    ['LATCHKEY_PORT', 'PORT'],
    ['LATCHKEY_ROOT_KEY_FIEL', 'LATCHKEY_ROOT_KEY_FILE'],
    ['LATCHKEY_BRAND_NAME_FILE', 'LATCHKEY_BRAND_NAME'],
  ])('%s is refused, naming %s', (name, meant) => {
    expect(problems({ [name]: '1' })).toEqual([`${name} is not a setting; did you mean ${meant}?`]);
  });

  test('is not searched for among variables with the prefixes of other programs, such as Kubernetes', () => {
    const others = { PATH: '/bin', DATABASE: 'x', LATCHKEY_TEST_DATABASE: 'x' };
    const service = { LATCHKEY_SERVICE_HOST: '10.0.0.1', LATCHKEY_SERVICE_PORT_HTTP: '80' };
    const link = { LATCHKEY_PORT: 'tcp://10.0.0.1:80', LATCHKEY_DB_PORT_80_TCP_ADDR: '10.0.0.1' };
    expect(problems({ ...others, ...service, ...link })).toEqual([]);
  });

  test('is not searched for among the variables of "latchkey api"', () => {
    const ofCommands = { LATCHKEY_URL: 'http://localhost:3000', LATCHKEY_TOKEN: 'x', LATCHKEY_PROFILE: '/tmp/x' };
    expect(problems(ofCommands)).toEqual([]);
  });
});

describe('in production', () => {
  test('complete settings are accepted, and logs are more detailed', () => {
    expect(readConfig(production)).toMatchObject({ environment: 'production', logLevel: 'info', rootKey: key });
  });

  test.each(['LATCHKEY_ISSUER', 'LATCHKEY_ROOT_KEY', 'DATABASE_URL'])('a missing %s is refused', (name) => {
    const refusal = expect.stringMatching(new RegExp(`^${name} must be set in production: .+\\.$`));
    expect(problems({ ...production, [name]: '' })).toEqual([refusal]);
  });

  test.each(['production', 'development'])(
    'a plain http issuer is refused in %s, with the way to fix it',
    (NODE_ENV) => {
      const hosts =
        'id.example.com 10.0.0.1 192.168.1.5:3000 127.example.com localhost.example.com [::2] latchkey:3000';
      for (const host of words(hosts)) {
        const [problem, ...others] = problems({ ...production, NODE_ENV, LATCHKEY_ISSUER: `http://${host}` });
        expect(problem).toMatch(/^LATCHKEY_ISSUER must begin with https:\/\/.*http:\/\/localhost:3000/);
        expect(others).toEqual([]);
      }
    },
  );

  test('a plain http issuer on a loopback address is accepted', () => {
    for (const host of words('localhost:3000 127.0.0.2 [::1]:3000'))
      expect(problems({ ...production, LATCHKEY_ISSUER: `http://${host}` })).toEqual([]);
  });
});
