import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { hostOfThisWorker } from '../support/hosted-server.ts';
import { Latchkey } from '../support/latchkey.ts';
import { installPacked } from '../support/packed-guard.ts';
import { testRootKey } from '../support/server.ts';

const run = promisify(execFile);
const root = path.join(import.meta.dirname, '../..');
const example = 'examples/three-services';
/** Packages come from this checkout, without a registry. */
const found = `npm() { case "$1" in start) exec $(sed -n 's/.*"start": "\\(.*\\)".*/\\1/p' package.json) ;; esac; }`;

/** The results of each program, in order. */
const decisions: Record<string, string[]> = {
  'recommendation-engine': [
    'GET /database/products: 200 allowed',
    'GET /database/purchase_history: 200 allowed',
    'POST /apis/pricing: 200 allowed',
    'PUT /cache/recommendations: 200 allowed',
    'GET /database/user_contact_info: 403 This needs "database:read:user_contact_info".',
    'PUT /database/products: 403 This needs "database:write:products".',
    'PUT /cache/sessions: 403 This needs "cache:write:sessions".',
    'GET /logs: 403 This needs "logs:read".',
  ],
  'notification-service': [
    'GET /database/user_contact_info: 200 allowed',
    'POST /email: 200 allowed',
    'POST /email: 200 allowed',
    'POST /sms: 200 allowed',
    'POST /email: 403 The request has the "template" "newsletter"; the key allows "welcome", "password_reset", "order_confirmation".',
    'POST /sms: 403 The request does not name its "template"; the key allows "welcome", "password_reset", "order_confirmation".',
    'POST /email: 429 The limit of 10000 messages/hour for email:send, sms:send is used up: a cost of 10001 is higher than the limit itself.',
    'GET /database/products: 403 This needs "database:read:products".',
  ],
  'logging-service': [
    'POST /logs: 200 allowed',
    'POST /logs: 200 allowed',
    'GET /logs: 403 This needs "logs:read".',
    'POST /logs: 429 The limit of 100000 log entries/minute is used up: a cost of 100001 is higher than the limit itself.',
  ],
  'admin-dashboard': [
    'GET /logs: 200 allowed',
    'GET /database/products: 200 allowed',
    'PUT /database/products: 200 allowed',
  ],
};

/** Each process of the example records its arguments, and its final environment. */
const notesOfProcess = (notes: string) => `import { readFileSync, writeFileSync } from 'node:fs';
  const note = (name, text) => writeFileSync('${notes}/' + process.pid + name, text.replaceAll('\\0', '\\n'));
  note('.start', ['environ', 'cmdline'].map((name) => readFileSync('/proc/self/' + name, 'utf8')).join(''));
  process.on('exit', () => note('.end', JSON.stringify(process.env)));`;

/** Texts in the format of a key, a token or a client secret of Latchkey, or of a JWT. */
const credential = /\b(?:lk|sk)_\w{20,}|\beyJ[\w-]{10,}\.[\w-]{10,}/;

/** The example as in its README, with its own file, commands and programs. */
describe('the three services', () => {
  const latchkey = new Latchkey();
  let [folder, operator] = ['', ''];
  let env: NodeJS.ProcessEnv = {};
  let platform: ChildProcess;
  let [explanations, documented, printed] = ['', '', ''];
  const keys: Record<string, string> = {};

  /** Runs commands in the command host, without a process for each. */
  const shell = async (script: string, at = path.join(folder, example)) => {
    const hosted = `latchkey() { node --no-warnings ${root}/test/support/hosted-command.ts "$@"; }`;
    const options = { cwd: at, env: { ...env, COMMAND_HOST: hostOfThisWorker('second') } };
    return (await run('bash', ['-euc', `exec </dev/null\n${hosted}\n${script}`], options)).stdout;
  };

  beforeAll(async () => {
    await latchkey.start({ apply: {} });
    folder = await mkdtemp(path.join(os.tmpdir(), 'latchkey-three-services-'));
    await cp(path.join(root, example), path.join(folder, example), { recursive: true });
    await installPacked(path.join(folder, example, 'node_modules'), ['koa'], ['guard', 'secrets']);
    const [port, identities] = [await freePort(), await freePort()];
    const here = (text: string) =>
      text
        .replaceAll('http://localhost:3000', latchkey.issuer)
        .replaceAll('http://localhost:4200', `http://localhost:${identities}`);
    const configuration = path.join(folder, example, 'latchkey.yaml');
    await writeFile(configuration, here(await readFile(configuration, 'utf8')));
    const notes = path.join(folder, 'notes');
    await mkdir(notes);
    await writeFile(path.join(folder, 'notes.mjs'), notesOfProcess(notes));
    operator = await mkdtemp(path.join(os.tmpdir(), 'latchkey-operator-'));
    env = {
      PATH: `${path.dirname(process.execPath)}:${process.env.PATH}`,
      DATABASE_URL: latchkey.database.url,
      LATCHKEY_ROOT_KEY: testRootKey,
      LATCHKEY_ISSUER: latchkey.issuer,
      LATCHKEY_PROFILE: path.join(operator, 'profile.json'),
      PORT: String(port),
      PLATFORM: `http://127.0.0.1:${port}`,
      IDENTITIES: `http://localhost:${identities}`,
    };
    const readme = here(await readFile(path.join(folder, example, 'README.md'), 'utf8'));
    const fenced = [...readme.matchAll(/^```(.*)\n([\s\S]*?)^```/gm)];
    const blocks = fenced.flatMap(([, language, code = '']) => (language === 'sh' ? [code] : []));
    documented = fenced.find(([, language]) => language === '')?.[2] ?? '';
    const [, apply, stored, roles, start] = blocks;
    explanations = blocks[5] ?? '';
    await shell(`${apply}${stored}${roles}`, folder);
    for (const name of [...Object.keys(decisions), 'platform'])
      keys[name] = (await latchkey.command(['secret', 'get', `services/${name}`])).stdout.trim();
    await startExample(start ?? '');
  }, 400_000);

  /** Starts the example and waits until the last service has printed its results. */
  async function startExample(start: string): Promise<void> {
    // No process of the example can write a file, except for its record.
    const may = `--no-warnings --permission --allow-child-process --allow-fs-read=* --allow-fs-write=${folder}/notes`;
    const options = { ...env, NODE_OPTIONS: `${may} --import=${folder}/notes.mjs` };
    platform = spawn('bash', ['-euc', `${found}\n${start}wait`], {
      ...{ cwd: folder, env: options, detached: true },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const lines = Object.values(decisions).flat().length;
    for await (const chunk of platform.stdout ?? []) {
      printed += chunk;
      if (printed.split('\n').length > lines) return;
    }
    throw new Error(`the example ended: ${printed}`);
  }

  afterAll(async () => {
    // Also the child processes of the shell.
    if (platform?.pid) process.kill(-platform.pid);
    await latchkey.stop();
    for (const each of [folder, operator]) await rm(each, { recursive: true, force: true });
  });

  const ask = async (
    name: string,
    request: string,
    { from = '10.0.1.50', body = undefined as object | undefined } = {},
  ) => {
    const [method = '', at = ''] = request.split(' ');
    const answer = await fetch(`${env.PLATFORM}${at}`, {
      method,
      headers: { 'x-api-key': keys[name] ?? '', 'x-forwarded-for': from },
      ...(body && { body: JSON.stringify(body) }),
    });
    return { status: answer.status, retryAfter: Number(answer.headers.get('retry-after')), said: await answer.json() };
  };
  const many = (count: number) => Array.from({ length: count }, () => 'x');

  test('each print what they may do and why not, as the README shows', () => {
    expect(printed.trim().split('\n')).toEqual(Object.values(decisions).flat());
    expect(documented.trim().split('\n')).toEqual(Object.values(decisions).flat());
  });

  test('have no credential in any file or variable: each authenticates as a workload, and keeps its key in memory', async () => {
    const services = [...Object.keys(decisions), 'platform'];
    expect(new Set(Object.values(keys)).size).toBe(services.length);
    for (const key of Object.values(keys)) expect(key).toMatch(credential);
    // The environment of the orchestrator, which is an operator's shell, contains nothing for services either.
    const notesIn = (texts: { file: string; text: string }[]) =>
      texts.filter(({ file, text }) => file.includes('/notes/') && /^SERVICE=|"SERVICE":/m.test(text));
    // A service exits soon after it has printed its results.
    const hasExited = (texts: { file: string; text: string }[]) => notesIn(texts).length >= services.length * 2 - 1;
    const texts = await eventually(() => filesIn(folder), hasExited);
    const ofServices = notesIn(texts);
    for (const service of services) {
      const started = ofServices.filter(({ text }) => text.includes(`SERVICE=${service}\n`));
      expect(started.map(({ text }) => text.trim().split('\n').at(-1))).toEqual([`${service}.ts`]);
    }
    // Exited services had no more than these.
    expect(ofServices).toHaveLength(services.length * 2 - 1);
    const secrets = [...Object.values(keys), testRootKey, latchkey.database.url];
    const isTold = ({ text }: { text: string }) => credential.test(text) || secrets.some((each) => text.includes(each));
    expect(ofServices.filter(isTold)).toEqual([]);
    const written = texts.filter(({ file }) => !file.includes('/notes/'));
    expect(written.filter(isTold).map(({ file }) => file)).toEqual([]);
    expect(written.map(({ file }) => file)).toContain(path.join(folder, example, 'latchkey.yaml'));
    for (const service of services) {
      const reads = (await latchkey.auditEvents('secret.read')).filter(
        ({ target_id }) => target_id === `services/${service}`,
      );
      // The operator read it for this test.
      expect(reads.map(({ actor_kind }) => actor_kind).toSorted()).toEqual(['client', 'system']);
    }
  });

  test('are accepted from their own address only', async () => {
    for (const request of decisions['recommendation-engine']?.slice(0, 4) ?? []) {
      const refused = await ask('recommendation-engine', request.split(':')[0] ?? '', { from: '10.0.1.51' });
      expect(refused).toMatchObject({
        status: 403,
        said: { detail: 'The request comes from 10.0.1.51; the key may be used from 10.0.1.50 only.' },
      });
    }
    const own = await ask('recommendation-engine', 'GET /database/products', { from: '::ffff:10.0.1.50' });
    expect(own.status).toBe(200);
  });

  test('are limited to 1000 requests a minute', async () => {
    const began = performance.now();
    const statuses: number[] = [];
    let retryAfter = 0;
    const worker = async () => {
      // On a busy machine some of the limit comes back meanwhile.
      while (statuses.filter((status) => status === 429).length < 100 && statuses.length < 20_000) {
        const answer = await ask('recommendation-engine', 'GET /database/products');
        statuses.push(answer.status);
        if (answer.status === 429) retryAfter = answer.retryAfter;
      }
    };
    await Promise.all(many(10).map(worker));
    const refilled = ((performance.now() - began) / 60_000) * 1000;
    const served = statuses.filter((status) => status === 200).length;
    expect(new Set(statuses)).toEqual(new Set([200, 429]));
    expect(served).toBeGreaterThan(900);
    expect(served).toBeLessThanOrEqual(1001 + refilled);
    expect(retryAfter).toBeGreaterThan(0);
  });

  test.each([
    [
      'messages, of both kinds together',
      'notification-service',
      ['/email', '/sms'],
      { template: 'welcome', to: many(9000) },
    ],
    ['log entries', 'logging-service', ['/logs', '/logs'], { entries: many(90_000) }],
  ])('are charged by the size of the request: %s', async (_, name, [first, second], body) => {
    expect(await ask(name, `POST ${first}`, { body })).toMatchObject({ status: 200 });
    const limited = await ask(name, `POST ${second}`, { body });
    expect(limited.status).toBe(429);
    expect(limited.retryAfter).toBeGreaterThan(0);
  });

  test('cannot send a template of another service, in any spelling', async () => {
    for (const template of ['newsletter', 'Welcome', 'welcome ', ['welcome'], '', undefined, { toString: 1 }])
      expect(await ask('notification-service', 'POST /email', { body: { template, to: ['x'] } })).toMatchObject({
        status: 403,
        said: { detail: expect.stringContaining('the key allows "welcome", "password_reset", "order_confirmation".') },
      });
  });

  test('may do with their roles what the README says, with the role that allows it', async () => {
    const [allowed, refused] = (await shell(explanations))
      .split(/(?<=^\})\n/m)
      .map((text) => JSON.parse(text || 'null'));
    expect(allowed).toEqual({ allowed: true, because: 'The role "cache-writer" gives it.' });
    expect(refused).toMatchObject({ allowed: false, because: expect.stringContaining('"logs:read"') });
    const { stdout } = await latchkey.command(['key', 'list', '--json']);
    const roles = Object.fromEntries(
      JSON.parse(stdout).items.map(({ name, roles }: { name: string; roles: string[] }) => [name, roles]),
    );
    expect(roles).toMatchObject({ 'admin-dashboard': ['admin'], 'recommendation-engine': [], 'logging-service': [] });
  });

  test.each([
    ['recommendation-engine', 'database:read:orders', true],
    ['recommendation-engine', 'api:call:external', true],
    ['recommendation-engine', 'api:call:internal', false],
    ['recommendation-engine', 'logs:write', false],
    ['notification-service', 'database:read:user_contact_info', true],
    ['notification-service', 'database:write:user_contact_info', false],
    ['logging-service', 'logs:write', true],
    ['logging-service', 'logs:read', false],
    ['admin-dashboard', 'database:drop:everything', true],
    ['admin-dashboard', 'latchkey:client:read', false],
  ])('%s with its roles may do %s: %s', async (subject, permission, allowed) => {
    const question = { subject, permission, kind: 'client', resource: 'http://localhost:4100' };
    const words = Object.entries(question).flatMap(([name, value]) => [`--${name}`, value]);
    const { stdout } = await latchkey.command(['api', 'explanation', 'get', ...words], '', {
      LATCHKEY_PROFILE: env.LATCHKEY_PROFILE ?? '',
    });
    expect(JSON.parse(stdout)).toMatchObject({ allowed });
  });
});

/** The text of every file in a folder, except for other packages. */
async function filesIn(folder: string): Promise<{ file: string; text: string }[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
  return Promise.all(files.map(async (file) => ({ file, text: await readFile(file, 'utf8') })));
}
