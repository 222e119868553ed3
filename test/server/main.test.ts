import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import net, { type AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { createMigratedDatabase, createTestDatabase, type TestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { send } from '../support/http.ts';
import { startLatchkey } from '../support/latchkey.ts';
import { runCommand, startServerProcess, testRootKey } from '../support/server.ts';

describe('starting', () => {
  let database: TestDatabase;
  let folder: string;
  beforeAll(async () => {
    database = await createMigratedDatabase();
    folder = await mkdtemp(path.join(os.tmpdir(), 'latchkey-main-'));
  });
  afterAll(async () => {
    await database.drop();
    await rm(folder, { recursive: true, force: true });
  });

  const start = (env: Record<string, string>) =>
    runCommand(['serve'], {
      env: { PORT: '0', DATABASE_URL: database.url, LATCHKEY_ROOT_KEY: testRootKey, LATCHKEY_DATA_DIR: folder, ...env },
    });

  test.each([
    [
      'a database that is not there',
      { DATABASE_URL: 'postgres://a:b@127.0.0.1:1/latchkey', LATCHKEY_DATABASE_WAIT_SECONDS: '0' },
      /^Cannot use PostgreSQL at 127\.0\.0\.1:1\/latchkey: .*ECONNREFUSED/,
    ],
    ['a setting outside its range', { PORT: '70000' }, /^PORT must be a whole number from 0 to 65535\.$/],
    [
      'a setting that does not exist',
      { LATCHKEY_ISUER: 'http://localhost' },
      /^LATCHKEY_ISUER is not a setting; did you mean LATCHKEY_ISSUER\?$/,
    ],
    [
      'an address that is not this machine’s',
      { HOST: '192.0.2.1' },
      /^Cannot listen on 192\.0\.2\.1:0 \(EADDRNOTAVAIL\); set PORT or HOST/,
    ],
    ['no issuer in production', { NODE_ENV: 'production' }, /^LATCHKEY_ISSUER must be set in production/],
    [
      'a plain http issuer in production',
      { NODE_ENV: 'production', LATCHKEY_ISSUER: 'http://id.example.com' },
      /^LATCHKEY_ISSUER must begin with https:/,
    ],
    [
      'the embedded database in production',
      { NODE_ENV: 'production', LATCHKEY_ISSUER: 'https://id.example.com', DATABASE_URL: '' },
      /^DATABASE_URL must be set in production/,
    ],
    [
      'no root key in production',
      { NODE_ENV: 'production', LATCHKEY_ISSUER: 'https://id.example.com', LATCHKEY_ROOT_KEY: '' },
      /^LATCHKEY_ROOT_KEY must be set in production/,
    ],
    [
      'a configuration file that is not there',
      { LATCHKEY_APPLY: '/nowhere/file.json' },
      /^Cannot read \/nowhere\/file\.json \(ENOENT\)/,
    ],
  ])('with %s exits with one sentence and exit code 1', async (_, env, sentence) => {
    const { code, stdout, stderr } = await start(env);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^latchkey: .*\n$/);
    expect(stderr.slice('latchkey: '.length).trim()).toMatch(sentence);
  });

  test('on a port in use exits with one sentence and exit code 1', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    const { port } = taken.address() as AddressInfo;
    expect(await start({ PORT: String(port) })).toMatchObject({
      code: 1,
      stderr: `latchkey: Port ${port} is in use; set PORT or HOST to another one.\n`,
    });
    taken.close();
  });

  test('with a data folder that cannot be created exits with one sentence and exit code 1', async () => {
    await writeFile(path.join(folder, 'a-file'), '');
    const { code, stderr } = await start({ DATABASE_URL: '', LATCHKEY_DATA_DIR: path.join(folder, 'a-file', 'data') });
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(
        /^latchkey: The data folder .* cannot be used: part of its path is a file \(ENOTDIR\)\.\n$/,
      ),
    });
  });

  test('with another root key than that of the database exits with one sentence and exit code 1', async () => {
    expect(await start({ LATCHKEY_ROOT_KEY: randomBytes(32).toString('hex') })).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /^latchkey: The root key differs from the one that this database was created with\..*\n$/,
      ),
    });
  });
});

describe('two nodes that start at once on an empty database', () => {
  test('both start, with one set of keys', async () => {
    const database = await createTestDatabase();
    const nodes = await Promise.all([1, 2, 3].map(() => startServerProcess({ databaseUrl: database.url })));
    const keySets = await Promise.all(nodes.map(async ({ issuer }) => (await fetch(`${issuer}/oauth/jwks`)).json()));
    expect(keySets[1]).toEqual(keySets[0]);
    expect(keySets[2]).toEqual(keySets[0]);
    const { rows } = await database.query(
      'select count(*)::int as keys, count(distinct purpose)::int as purposes from server_keys',
    );
    expect(rows[0].keys).toBe(rows[0].purposes);
    await Promise.all(nodes.map((node) => node.stop()));
    await database.drop();
  });
});

describe('a running server', () => {
  const latchkey = startLatchkey({ apply: {} });

  test('prints at most ten lines at start: version, address, data, setup link and demo', () => {
    const lines = latchkey.server
      .output()
      .split('\n')
      .filter((line) => line && !line.startsWith('{'));
    expect(lines.length).toBeLessThanOrEqual(10);
    expect(lines).toEqual([
      `Latchkey 0.1.0 is ready at ${latchkey.issuer}`,
      expect.stringMatching(/^ {2}Data: {2}PostgreSQL at 127\.0\.0\.1:\d+\/test_/),
      expect.stringMatching(/^ {2}Setup: http:\/\/localhost:\d+\/setup\/lk_setup_[0-9A-Za-z]{49} /),
      `  Demo:  ${latchkey.issuer}/demo`,
    ]);
  });

  test('prints no warnings', () => {
    expect(latchkey.server.output()).not.toMatch(/warning|notice|deprecat/i);
  });

  test('reports that it is live and ready', async () => {
    expect(await (await fetch(`${latchkey.issuer}/healthz`)).json()).toEqual({ status: 'ok' });
    expect(await (await fetch(`${latchkey.issuer}/readyz`)).json()).toEqual({ status: 'ready' });
  });

  test('is not ready while its clock and the database’s are more than two seconds apart', async () => {
    // Only the node: otherwise the harness would also move the database's clock.
    await latchkey.server.advance(5);
    const asked = async () => {
      const response = await fetch(`${latchkey.issuer}/readyz`);
      expect(response.status).toBe(503);
      return response.json();
    };
    // A slow answer of a busy database proves a part of it only.
    const answer = await eventually(asked, (body) => JSON.stringify(body).includes('5 seconds'));
    expect(answer).toEqual({
      status: 'not ready',
      reason: 'this clock and the database’s are 5 seconds apart'.replace('’', "'"),
    });
    await latchkey.advance(-5);
  });

  test('finishes requests in flight when it is stopped, accepts no new ones, and exits with code 0', async () => {
    const node = await latchkey.startAnother();
    const { hostname, port } = new URL(node.issuer);
    const socket = net.connect(Number(port), hostname);
    await once(socket, 'connect');
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    const closed = new Promise((resolve) => socket.once('close', resolve));
    const body = 'token=x';
    socket.write(
      `POST /oauth/introspect HTTP/1.1\r\nHost: localhost:${port}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}\r\n\r\ntok`,
    );
    // Connections are accepted and read in order: once a later one is answered, this one has begun its request.
    expect(await send(node.issuer, '/healthz')).toMatchObject({ status: 200 });
    const ended = node.kill('SIGTERM');
    const isRefused = () =>
      send(node.issuer, '/healthz').then(
        () => false,
        () => true,
      );
    await eventually(isRefused, Boolean, { pauseMs: 5 });
    socket.write(body.slice(3));
    await closed;
    expect(answer).toMatch(/^HTTP\/1\.1 40[01] .*"error"/s);
    expect(await ended).toBe(0);
  });
});

describe('the first run on the embedded database', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'latchkey-first-run-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  // The parent of the data folder is not accessible to others, like /root.
  test('keeps its data over an orderly stop and a killed process, and commands work beside it and after it', async () => {
    const dataDir = path.join(folder, 'private', '.latchkey');
    await mkdir(path.dirname(dataDir), { mode: 0o700 });
    const env = { LATCHKEY_DATA_DIR: dataDir };
    const users = async () => JSON.parse((await runCommand(['status', '--json'], { env })).stdout).users;

    const first = await startServerProcess({ databaseUrl: '', rootKey: '', env });
    expect(first.output()).toMatch(/Data: {2}PostgreSQL 18\.\d+, embedded in /);
    expect((await stat(path.join(dataDir, 'root-key'))).mode & 0o777).toBe(0o600);
    expect(await runCommand(['user', 'create', 'one'], { env })).toMatchObject({ code: 0 });
    expect(await first.kill('SIGINT')).toBe(0);
    expect(await users()).toBe(1);

    const second = await startServerProcess({ databaseUrl: '', rootKey: '', env });
    expect(await runCommand(['user', 'create', 'two'], { env })).toMatchObject({ code: 0 });
    await second.kill('SIGKILL');
    expect(await users()).toBe(2);

    const third = await startServerProcess({ databaseUrl: '', rootKey: '', env });
    expect((await fetch(`${third.issuer}/readyz`)).status).toBe(200);
    expect(await users()).toBe(2);
    await third.stop();
  });

  test('runs PostgreSQL under an unprivileged account on loopback only', async () => {
    const dataDir = path.join(folder, 'loopback');
    const server = await startServerProcess({ databaseUrl: '', rootKey: '', env: { LATCHKEY_DATA_DIR: dataDir } });
    const owner = (await stat(path.join(dataDir, 'postgres'))).uid;
    expect(owner).not.toBe(0);
    await server.stop();
  });
});
