import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../support/free-port.ts';
import { Latchkey } from '../support/latchkey.ts';
import { installPacked } from '../support/packed-guard.ts';
import { testRootKey } from '../support/server.ts';

const run = promisify(execFile);
const root = path.join(import.meta.dirname, '../..');
const example = 'examples/three-services';
/** The command and npm find what is in this checkout, and make no detour to a registry. */
const found = `latchkey() { node ${root}/bin/latchkey.js "$@"; }
  npm() { case "$1" in start) exec node platform.ts ;; esac; }`;

/** What each program is told, in its order. */
const decisions: Record<string, string[]> = {
  'FROM=10.0.1.50 KEY=$RECOMMENDATION_KEY node recommendation-engine.ts': [
    'GET /database/products: 200 allowed',
    'GET /database/purchase_history: 200 allowed',
    'POST /apis/pricing: 200 allowed',
    'PUT /cache/recommendations: 200 allowed',
    'GET /database/user_contact_info: 403 This needs "database:read:user_contact_info".',
    'PUT /database/products: 403 This needs "database:write:products".',
    'PUT /cache/sessions: 403 This needs "cache:write:sessions".',
    'GET /logs: 403 This needs "logs:read".',
  ],
  'KEY=$NOTIFICATION_KEY node notification-service.ts': [
    'GET /database/user_contact_info: 200 allowed',
    'POST /email: 200 allowed',
    'POST /email: 200 allowed',
    'POST /sms: 200 allowed',
    'POST /email: 403 The request has the "template" "newsletter"; the key allows "welcome", "password_reset", "order_confirmation".',
    'POST /sms: 403 The request does not name its "template"; the key allows "welcome", "password_reset", "order_confirmation".',
    'POST /email: 429 The limit of 10000 messages/hour for email:send, sms:send is used up: a cost of 10001 is higher than the limit itself.',
    'GET /database/products: 403 This needs "database:read:products".',
  ],
  'KEY=$LOGGING_KEY node logging-service.ts': [
    'POST /logs: 200 allowed',
    'POST /logs: 200 allowed',
    'GET /logs: 403 This needs "logs:read".',
    'POST /logs: 429 The limit of 100000 log entries/minute is used up: a cost of 100001 is higher than the limit itself.',
  ],
  'KEY=$ADMIN_KEY node admin-dashboard.ts': [
    'GET /logs: 200 allowed',
    'GET /database/products: 200 allowed',
    'PUT /database/products: 200 allowed',
  ],
};

/** The example as its README says: its own file, its own commands, its own programs as processes. */
describe('the three services', () => {
  const latchkey = new Latchkey();
  let folder = '';
  let env: NodeJS.ProcessEnv = {};
  let platform: ChildProcess;
  let [programs, explanations, output] = ['', '', ''];

  const shell = async (script: string, at = path.join(folder, example)) =>
    (await run('bash', ['-euc', `${found}\n${script}`], { cwd: at, env })).stdout;

  beforeAll(async () => {
    await latchkey.start({ apply: {} });
    folder = await mkdtemp(path.join(os.tmpdir(), 'latchkey-three-services-'));
    await cp(path.join(root, example), path.join(folder, example), { recursive: true });
    await installPacked(path.join(folder, example, 'node_modules'), ['koa']);
    const port = await freePort();
    env = {
      PATH: `${path.dirname(process.execPath)}:${process.env.PATH}`,
      DATABASE_URL: latchkey.database.url,
      LATCHKEY_ROOT_KEY: testRootKey,
      LATCHKEY_ISSUER: latchkey.issuer,
      LATCHKEY_PROFILE: path.join(folder, 'profile.json'),
      PORT: String(port),
      PLATFORM: `http://127.0.0.1:${port}`,
    };
    const readme = await readFile(path.join(folder, example, 'README.md'), 'utf8');
    const fenced = [
      ...readme.replaceAll('http://localhost:3000', latchkey.issuer).matchAll(/^```(.*)\n([\s\S]*?)^```/gm),
    ];
    const blocks = fenced.flatMap(([, language, code = '']) => (language === 'sh' ? [code] : []));
    output = fenced.find(([, language]) => language === '')?.[2] ?? '';
    const [, apply, keys, roles, start] = blocks;
    [, , , , , programs = '', explanations = ''] = blocks;
    const exported = await shell(`${apply}${keys}${roles}\nnode -p "'\\n' + JSON.stringify(process.env)"`, folder);
    env = JSON.parse(exported.trim().split('\n').at(-1) ?? '');
    platform = spawn('bash', ['-euc', `${found}\n${start}wait`], {
      ...{ cwd: folder, env, detached: true },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    if (platform.stdout) await once(platform.stdout, 'data');
  }, 400_000);

  afterAll(async () => {
    // What the shell started, too.
    if (platform?.pid) process.kill(-platform.pid);
    await latchkey.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const ask = async (
    name: string,
    request: string,
    { from = '10.0.1.50', body = undefined as object | undefined } = {},
  ) => {
    const [method = '', at = ''] = request.split(' ');
    const answer = await fetch(`${env.PLATFORM}${at}`, {
      method,
      headers: { 'x-api-key': env[name] ?? '', 'x-forwarded-for': from },
      ...(body && { body: JSON.stringify(body) }),
    });
    return { status: answer.status, retryAfter: Number(answer.headers.get('retry-after')), said: await answer.json() };
  };
  const many = (count: number) => Array.from({ length: count }, () => 'x');

  test.each(Object.entries(decisions))('each know what they may, and why not: %s', async (command, lines) => {
    expect(programs.split('\n')).toContain(command);
    expect((await shell(command)).trim().split('\n')).toEqual(lines);
  });

  test('do all that the README runs, and it shows what they print', () => {
    expect(programs.trim().split('\n')).toEqual(Object.keys(decisions));
    expect(output.trim().split('\n')).toEqual(Object.values(decisions).flat());
  });

  test('are served from their own address only', async () => {
    const elsewhere = await shell('FROM=10.0.1.51 KEY=$RECOMMENDATION_KEY node recommendation-engine.ts');
    const refusals = elsewhere.trim().split('\n').slice(0, 4);
    expect(new Set(refusals.map((line) => line.replace(/^.*?: /, '')))).toEqual(
      new Set(['403 It comes from 10.0.1.51; the key may be used from 10.0.1.50 only.']),
    );
    expect((await ask('RECOMMENDATION_KEY', 'GET /database/products', { from: '::ffff:10.0.1.50' })).status).toBe(200);
  });

  test('are served so often and no more: 1000 requests a minute', async () => {
    const began = performance.now();
    const statuses: number[] = [];
    let retryAfter = 0;
    const worker = async () => {
      while (statuses.length < 1400) {
        const answer = await ask('RECOMMENDATION_KEY', 'GET /database/products');
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
      'NOTIFICATION_KEY',
      ['/email', '/sms'],
      { template: 'welcome', to: many(9000) },
    ],
    ['log entries', 'LOGGING_KEY', ['/logs', '/logs'], { entries: many(90_000) }],
  ])('are counted by what they send: %s', async (_, name, [first, second], body) => {
    expect(await ask(name, `POST ${first}`, { body })).toMatchObject({ status: 200 });
    const limited = await ask(name, `POST ${second}`, { body });
    expect(limited.status).toBe(429);
    expect(limited.retryAfter).toBeGreaterThan(0);
  });

  test('send no template that is not theirs, in whatever way it is written', async () => {
    for (const template of ['newsletter', 'Welcome', 'welcome ', ['welcome'], '', undefined, { toString: 1 }])
      expect(await ask('NOTIFICATION_KEY', 'POST /email', { body: { template, to: ['x'] } })).toMatchObject({
        status: 403,
        said: { detail: expect.stringContaining('the key allows "welcome", "password_reset", "order_confirmation".') },
      });
  });

  test('may by their roles what the README says, with the role that gives it', async () => {
    const [allowed, refused] = (await shell(explanations))
      .split(/(?<=^\})\n/m)
      .map((text) => JSON.parse(text || 'null'));
    expect(allowed).toEqual({ allowed: true, because: 'The role "cache-writer" gives it.' });
    expect(refused).toMatchObject({ allowed: false, because: expect.stringContaining('"logs:read"') });
    const { stdout } = await latchkey.command(['key', 'list', '--json']);
    const roles = Object.fromEntries(
      JSON.parse(stdout).items.map(({ name, roles }: { name: string; roles: string[] }) => [name, roles]),
    );
    expect(roles).toMatchObject({ dashboard: ['admin'], recommendations: [], logging: [] });
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
  ])('%s may by its roles %s: %s', async (subject, permission, allowed) => {
    const question = { subject, permission, kind: 'client', resource: 'http://localhost:4100' };
    const words = Object.entries(question).map(([name, value]) => `--${name} ${value}`);
    expect(JSON.parse(await shell(`latchkey api explanation get ${words.join(' ')}`))).toMatchObject({ allowed });
  });
});
