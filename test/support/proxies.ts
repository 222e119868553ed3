import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { freePort } from './free-port.ts';

const examples = path.join(import.meta.dirname, '../../examples/gateway');

/** The addresses of the parts of an example in a test, each as `host:port`. */
type Addresses = { latchkey: string; api: string; proxy: string };

/** A proxy that may be installed on this machine. */
export type ProxyProgram = {
  name: string;
  /** Its Debian packages. */
  packages: string;
  /** Its path; undefined: the proxy, or a part of it, is not installed. */
  find: () => string | undefined;
  /** The files of its example. */
  files: readonly string[];
  /** Whether it also forwards the body of Latchkey's response. */
  handsOnReasons: boolean;
  /** Whether it forwards the remaining limits to clients. */
  handsOnLimits: boolean;
  /** The text of an example, and its replacement with the port to listen on, in the syntax of this proxy. */
  listen: readonly [example: string, here: (port: string) => string];
  /** Its main configuration file, which contains or is the example. */
  main: (folder: string, example: string) => string;
  run: (folder: string) => readonly string[];
};

const located = (setting: string, names: readonly string[], version: string) => {
  const candidates = [process.env[setting] ?? '', ...names].filter(Boolean);
  return candidates.find((name) => spawnSync(name, [version]).status === 0);
};
const apacheModules = '/usr/lib/apache2/modules';
const ofLua = '/usr/share/lua/5.3/socket/http.lua';

/** Every proxy whose example is tested; a path in LATCHKEY_TEST_… overrides an installed one. */
export const proxyPrograms: readonly ProxyProgram[] = [
  {
    name: 'nginx',
    packages: 'nginx-light',
    find: () => located('LATCHKEY_TEST_NGINX', ['nginx', '/usr/sbin/nginx'], '-v'),
    files: ['nginx.conf'],
    handsOnReasons: false,
    handsOnLimits: true,
    listen: ['listen 8080', (port) => `listen 127.0.0.1:${port}`],
    main: (folder, example) => {
      const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
        (kind) => `${kind}_temp_path ${folder}/${kind};`,
      );
      return `daemon off; pid ${folder}/pid; error_log stderr; events {}
        http { access_log off; ${temporary.join(' ')} ${example} }`;
    },
    run: (folder) => ['-p', folder, '-e', 'stderr', '-c', `${folder}/main`],
  },
  {
    name: 'HAProxy',
    packages: 'haproxy',
    find: () => located('LATCHKEY_TEST_HAPROXY', ['haproxy', '/usr/sbin/haproxy'], '-v'),
    files: ['haproxy.cfg', 'haproxy.lua'],
    handsOnReasons: true,
    handsOnLimits: true,
    listen: ['bind :8080', (port) => `bind 127.0.0.1:${port}`],
    main: (folder, example) => example.replace('/etc/haproxy/', `${folder}/`),
    run: (folder) => ['-db', '-f', `${folder}/main`],
  },
  {
    name: 'Apache httpd',
    packages: 'apache2-bin lua-socket',
    find: () =>
      existsSync(`${apacheModules}/mod_lua.so`) && existsSync(ofLua)
        ? located('LATCHKEY_TEST_APACHE', ['apache2', '/usr/sbin/apache2'], '-v')
        : undefined,
    files: ['apache.conf', 'apache.lua'],
    handsOnReasons: false,
    handsOnLimits: true,
    listen: ['<VirtualHost *:8080>', (port) => `Listen 127.0.0.1:${port}\n<VirtualHost *:${port}>`],
    main: (folder, example) => {
      const modules = ['mpm_event', 'authz_core', 'headers', 'lua', 'proxy', 'proxy_http', 'setenvif'];
      const loaded = modules.map((name) => `LoadModule ${name}_module ${apacheModules}/mod_${name}.so`);
      return `ServerRoot ${folder}\nServerName localhost\nPidFile ${folder}/pid\nDefaultRuntimeDir ${folder}\nErrorLog /dev/stderr
        ${loaded.join('\n')}\nUser www-data\nGroup www-data
        ${example.replace('/etc/apache2/', `${folder}/`)}`;
    },
    run: (folder) => ['-DFOREGROUND', '-f', `${folder}/main`],
  },
  {
    name: 'Caddy',
    packages: 'caddy',
    find: () => located('LATCHKEY_TEST_CADDY', ['caddy', '/usr/bin/caddy'], 'version'),
    files: ['Caddyfile'],
    handsOnReasons: true,
    handsOnLimits: false,
    listen: [':8080 {', (port) => `http://127.0.0.1:${port} {`],
    main: (folder, example) => `{\nadmin off\nstorage file_system ${folder}\n}\n${example}`,
    run: (folder) => ['run', '--adapter', 'caddyfile', '--config', `${folder}/main`],
  },
];

export type RunningProxy = { url: string; output: () => string; stop: () => Promise<void> };

/** Starts a proxy with its example, and waits until it listens. */
export async function startProxy(
  program: ProxyProgram,
  { latchkey, api }: Omit<Addresses, 'proxy'>,
): Promise<RunningProxy> {
  const port = await freePort();
  const folder = await mkdtemp(path.join(os.tmpdir(), 'latchkey-proxy-'));
  // Proxies that drop root privileges must be able to read it.
  await chmod(folder, 0o755);
  const [listen, here] = program.listen;
  for (const [n, file] of program.files.entries()) {
    const text = (await readFile(path.join(examples, file), 'utf8'))
      .replaceAll('127.0.0.1:3000', latchkey)
      .replaceAll('127.0.0.1:4000', api)
      .replace(listen, () => here(String(port)));
    await writeFile(path.join(folder, n === 0 ? 'main' : file), n === 0 ? program.main(folder, text) : text);
  }
  const env = { PATH: process.env.PATH ?? '', HOME: folder, XDG_CONFIG_HOME: folder, XDG_DATA_HOME: folder };
  // A file, because httpd opens /dev/stderr, which cannot be done with a pipe of Node's.
  const log = await open(path.join(folder, 'log'), 'w');
  const child = spawn(program.find() ?? '', program.run(folder), {
    cwd: folder,
    env,
    stdio: ['ignore', log.fd, log.fd],
  });
  const stop = async () => {
    await ended(child);
    await log.close();
    await rm(folder, { recursive: true, force: true });
  };
  const output = () => readFileSync(path.join(folder, 'log'), 'utf8');
  if (await listens(child, port)) return { url: `http://127.0.0.1:${port}`, output, stop };
  const text = output();
  await stop();
  throw new Error(`${program.name} did not start: ${text}`);
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill();
  await exited;
}

async function listens(child: ChildProcess, port: number): Promise<boolean> {
  for (const until = Date.now() + 120_000; Date.now() < until && child.exitCode === null; ) {
    const socket = connect(port, '127.0.0.1');
    const isOpen = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (isOpen) return true;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return false;
}
