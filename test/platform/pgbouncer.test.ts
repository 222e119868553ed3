import { spawn, spawnSync } from 'node:child_process';
import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { createTestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { api, standardInstallation } from '../support/installation.ts';
import { basic } from '../support/latchkey.ts';
import { startServerProcess } from '../support/server.ts';
import { testWith } from '../support/where-possible.ts';

const program = ['/usr/sbin/pgbouncer', '/usr/bin/pgbouncer', '/usr/local/bin/pgbouncer'].find(
  (file) => spawnSync(file, ['--version']).status === 0,
);
const testWherePossible = testWith(program, 'pgbouncer is not installed');
const nobody = 65_534;

/** pgbouncer in transaction mode, without support for prepared statements, in front of a database. */
async function startPgbouncer(databaseUrl: string) {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'latchkey-pgbouncer-'));
  const { hostname, port, username, password, pathname } = new URL(databaseUrl);
  const listenPort = await freePort();
  const file = path.join(folder, 'pgbouncer.ini');
  const settings = [
    '[databases]',
    `* = host=${hostname} port=${port} user=${username} password=${password}`,
    '[pgbouncer]',
    'listen_addr = 127.0.0.1',
    `listen_port = ${listenPort}`,
    'auth_type = any',
    'pool_mode = transaction',
    'default_pool_size = 10',
    'unix_socket_dir =',
  ];
  await writeFile(file, settings.join('\n'));
  await Promise.all(
    [chown(folder, nobody, nobody), chown(file, nobody, nobody)].map((done) => done.catch(() => undefined)),
  );
  const isRoot = process.getuid?.() === 0;
  const child = spawn(program ?? '', [file], { stdio: 'ignore', ...(isRoot ? { uid: nobody, gid: nobody } : {}) });
  await untilListening(listenPort);
  const stop = async () => {
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
    await rm(folder, { recursive: true, force: true });
  };
  return { url: `postgres://${username}@127.0.0.1:${listenPort}${pathname}`, stop };
}

async function untilListening(port: number): Promise<void> {
  const isOpen = () =>
    new Promise<boolean>((resolve) => {
      const socket = net.connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
  await eventually(isOpen, Boolean);
}

describe('behind pgbouncer in transaction mode', () => {
  testWherePossible('tokens are issued, refreshed and introspected', async () => {
    const database = await createTestDatabase();
    const pgbouncer = await startPgbouncer(database.url);
    const server = await startServerProcess({
      databaseUrl: pgbouncer.url,
      apply: standardInstallation,
      env: { LATCHKEY_PREPARED_STATEMENTS: 'off' },
    });
    const authorization = basic('service', 'the secret of the service');
    const ask = async (target: string, parameters: Record<string, string>) => {
      const response = await fetch(`${server.issuer}${target}`, {
        method: 'POST',
        headers: { authorization },
        body: new URLSearchParams(parameters),
      });
      return { status: response.status, body: (await response.json()) as Record<string, string> };
    };
    const answers = await Promise.all(
      Array.from({ length: 60 }, () => ask('/oauth/token', { grant_type: 'client_credentials', resource: api })),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(60);
    const { body } = await ask('/oauth/introspect', { token: answers[0]?.body.access_token ?? '' });
    expect(body.active).toBe(true);
    await server.stop();
    await pgbouncer.stop();
    await database.drop();
  });
});
