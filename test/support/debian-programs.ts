import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { connect, type NetConnectOpts } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { freePort } from './free-port.ts';

/** A program of another project that runs next to Latchkey in a separate folder. */
export type RunningProgram<Address> = { address: Address; output: () => string; stop: () => Promise<void> };

type Start = {
  program: string;
  files: (folder: string) => Record<string, string>;
  args: (folder: string) => string[];
  listensAt: (folder: string) => NetConnectOpts;
};

const apacheModules = '/usr/lib/apache2/modules';

/** Why a program cannot run here; undefined: it can. */
export function missingProgram(name: 'mod_auth_openidc' | 'Dovecot'): string | undefined {
  const isRoot = process.getuid?.() === 0;
  const [file, packages] =
    name === 'Dovecot'
      ? ['/usr/sbin/dovecot', 'dovecot-core']
      : [`${apacheModules}/mod_auth_openidc.so`, 'apache2-bin libapache2-mod-auth-openidc'];
  if (!existsSync(file)) return `it is not installed (${packages})`;
  return isRoot ? undefined : 'it is started by root alone';
}

/** Starts Apache httpd with mod_auth_openidc, with these directives in its only virtual host. @returns its address */
export async function startApache(directives: string): Promise<RunningProgram<string>> {
  const port = await freePort();
  const modules = 'mpm_event authn_core authz_core authz_user proxy proxy_http auth_openidc'.split(' ');
  const loaded = modules.map((name) => `LoadModule ${name}_module ${apacheModules}/mod_${name}.so`).join('\n');
  const stopped = await start({
    program: '/usr/sbin/apache2',
    files: (folder) => ({
      main: `ServerRoot ${folder}\nServerName app.example\nPidFile ${folder}/pid\nDefaultRuntimeDir ${folder}
        ErrorLog /dev/stderr\nListen 127.0.0.1:${port}\n${loaded}\nUser www-data\nGroup www-data\n${directives}\n`,
    }),
    args: (folder) => ['-DFOREGROUND', '-f', `${folder}/main`],
    listensAt: () => ({ host: '127.0.0.1', port }),
  });
  return { ...stopped, address: `http://127.0.0.1:${port}` };
}

/** Starts Dovecot's authentication server, which uses this introspection endpoint. @returns the path of its socket */
export async function startDovecot(oauth2: string): Promise<RunningProgram<string>> {
  const socketIn = (folder: string) => `${folder}/run/auth-client`;
  return start({
    program: '/usr/sbin/dovecot',
    files: (folder) => ({
      main: `base_dir = ${folder}/run\nstate_dir = ${folder}/run\nlog_path = /dev/stderr\nprotocols =\nssl = no\nlisten = 127.0.0.1
        disable_plaintext_auth = no\nauth_verbose = yes\nauth_failure_delay = 0\nauth_mechanisms = oauthbearer xoauth2
        passdb {\n driver = oauth2\n mechanisms = oauthbearer xoauth2\n args = ${folder}/oauth2\n}
        userdb {\n driver = static\n args = uid=65534 gid=65534 home=/nonexistent\n}
        service anvil {\n unix_listener anvil-auth-penalty {\n mode = 0\n }\n}
        service auth {\n unix_listener auth-client {\n mode = 0666\n }\n}\n`,
      oauth2,
    }),
    args: (folder) => ['-F', '-c', `${folder}/main`],
    listensAt: (folder) => ({ path: socketIn(folder) }),
  });
}

/** Signs in at Dovecot as an IMAP server does (its authentication protocol 1.2, SASL OAUTHBEARER, RFC 7628). */
export async function signInAtDovecot(socketPath: string, user: string, token: string): Promise<string> {
  const response = Buffer.from(`n,a=${user},\u0001host=localhost\u0001port=143\u0001auth=Bearer ${token}\u0001\u0001`);
  const socket = connect({ path: socketPath });
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk) => {
    text += chunk;
  });
  socket.write(`VERSION\t1\t2\nCPID\t${process.pid}\n`);
  const request = `AUTH\t1\tOAUTHBEARER\tservice=imap\tsecured\tresp=${response.toString('base64')}\n`;
  await until(() => text.includes('DONE\n'));
  socket.write(request);
  await until(() => /^(?:OK|FAIL|CONT)\t1\b/m.test(text));
  // RFC 7628 §3.2.3: after the error the client sends a last empty message.
  if (/^CONT\t1\b/m.test(text)) socket.write('CONT\t1\tAQ==\n');
  await until(() => /^(?:OK|FAIL)\t1\b/m.test(text));
  socket.destroy();
  return /^(?:OK|FAIL)\t1\b.*$/m.exec(text)?.[0] ?? '';
}

async function start({ program, files, args, listensAt }: Start): Promise<RunningProgram<string>> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'latchkey-program-'));
  await chmod(folder, 0o755);
  for (const [name, text] of Object.entries(files(folder))) await writeFile(path.join(folder, name), text);
  // A file, because such programs open /dev/stderr, which cannot be done with a pipe of Node's.
  const log = await open(path.join(folder, 'log'), 'a');
  const child = spawn(program, args(folder), { cwd: folder, stdio: ['ignore', log.fd, log.fd] });
  const output = () => readFileSync(path.join(folder, 'log'), 'utf8');
  const stop = async () => {
    await ended(child);
    await log.close();
    await rm(folder, { recursive: true, force: true });
  };
  const target = listensAt(folder);
  const isUp = await until(async () => child.exitCode !== null || (await accepts(target)));
  if (isUp && child.exitCode === null) return { address: 'path' in target ? target.path : '', output, stop };
  const text = output();
  await stop();
  throw new Error(`${program} did not start: ${text}`);
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill();
  await exited;
}

async function accepts(target: NetConnectOpts): Promise<boolean> {
  const socket = connect(target);
  const isOpen = await once(socket, 'connect').then(
    () => true,
    () => false,
  );
  socket.destroy();
  return isOpen;
}

async function until(isSo: () => boolean | Promise<boolean>): Promise<boolean> {
  for (const end = Date.now() + 120_000; Date.now() < end; ) {
    if (await isSo()) return true;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return false;
}
