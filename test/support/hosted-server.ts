import { once } from 'node:events';
import { createConnection } from 'node:net';
import { createInterface } from 'node:readline';

export type RunningServer = {
  issuer: string;
  /** The address that it listens on; behind a proxy it differs from the issuer. */
  address: string;
  /** Its output so far. */
  output: () => string;
  /** Moves only this server's clock, not the database's. */
  advance: (seconds: number) => Promise<void>;
  stop: () => Promise<void>;
};

/** An order of a test to the host of its server, one a line. */
export type ToHost = {
  start?: { env: Record<string, string>; offsetMs: number };
  advanceMs?: number;
  stop?: true;
  /** Applies the configuration file in the settings to an installation without a running server. */
  apply?: { env: Record<string, string> };
  /** `folder`: the working directory of the command; one command at a time, because a process has one. */
  run?: { args: string[]; env: Record<string, string>; input: string; folder?: string };
};

/** A message of the host to the test. */
export type FromHost = {
  output?: string;
  fd?: 1 | 2;
  failed?: string;
  advanced?: true;
  applied?: true;
  ended?: number;
};

const ownVariables = new Set(['WEB_CONCURRENCY', 'LATCHKEY_METRICS_PORT', 'NODE_ENV']);

/** Whether these settings need no separate process, for its environment, its workers or its metrics. */
export function canBeHosted(env: Record<string, string>): boolean {
  const isSetting = (name: string) => /^(LATCHKEY_|PORT$|HOST$|LOG_LEVEL$|DATABASE_URL$)/.test(name);
  return Object.keys(env).every((name) => isSetting(name) && !ownVariables.has(name));
}

/** Variables that Node or the operating system reads, not the command. */
const ofProcess = new Set([...ownVariables, 'HOME', 'NODE_OPTIONS', 'PATH', 'TZ']);

/** Whether only the command itself reads these variables. */
export function canCommandBeHosted(env: Record<string, string>): boolean {
  return Object.keys(env).every((name) => !ofProcess.has(name));
}

/** The hosts of a worker of Jest: one for its servers and commands, and one for second nodes, which need another process. */
export const hostRoles = ['first', 'second'] as const;

/** The socket of a host for this worker of Jest; undefined: there is none. */
export function hostOfThisWorker(role: (typeof hostRoles)[number] = 'first'): string | undefined {
  const folder = process.env.LATCHKEY_TEST_HOSTS;
  return folder && socketOfHost(folder, Number(process.env.JEST_WORKER_ID ?? 1), role);
}

export function socketOfHost(folder: string, worker: number, role: (typeof hostRoles)[number]): string {
  return `${folder}/${worker}-${role}.sock`;
}

/** Runs a command in the host to its end. */
export async function runHostedCommand(
  path: string,
  run: NonNullable<ToHost['run']>,
): Promise<{ code: number; stdout: string; stderr: string }> {
  const texts = { 1: '', 2: '' };
  for await (const { output = '', fd = 1, failed, ended } of answersTo(path, { run })) {
    texts[fd] += output;
    if (failed !== undefined) throw new Error(`the command failed in its host: ${failed}`);
    if (ended !== undefined) return { code: ended, stdout: texts[1], stderr: texts[2] };
  }
  throw new Error(`the host of the command has ended: ${texts[2]}`);
}

/** Applies a configuration file to an installation without a running server, as a server does at its start. */
export async function applyInHost(path: string, env: Record<string, string>): Promise<void> {
  for await (const { applied, failed } of answersTo(path, { apply: { env } })) {
    if (failed !== undefined) throw new Error(failed);
    if (applied) return;
  }
  throw new Error('the host has ended');
}

async function* answersTo(path: string, order: ToHost): AsyncGenerator<FromHost> {
  const socket = createConnection(path);
  await once(socket, 'connect');
  socket.write(`${JSON.stringify(order)}\n`);
  for await (const line of createInterface({ input: socket })) yield JSON.parse(line);
}

/** Starts a server in the host, and waits until it is ready. */
export async function startHostedServer(
  path: string,
  { env, offsetMs }: NonNullable<ToHost['start']>,
): Promise<RunningServer> {
  const socket = createConnection(path);
  await once(socket, 'connect');
  const tell = (order: ToHost) => socket.write(`${JSON.stringify(order)}\n`);
  let text = '';
  let failed: string | undefined;
  const advances: (() => void)[] = [];
  const closed = new Promise<void>((resolve) => {
    socket.once('close', () => resolve());
  });
  // Pending calls report a host that died.
  socket.on('error', () => undefined);
  let isReady = false;
  const ready = new Promise<RegExpExecArray>((resolve, reject) => {
    createInterface({ input: socket }).on('line', (line) => {
      const message: FromHost = JSON.parse(line);
      text += message.output ?? '';
      failed ??= message.failed;
      if (message.advanced) advances.shift()?.();
      if (isReady) return;
      const greeting = /is ready at (\S+)(?: \(listening on (\S+)\))?\n/.exec(text);
      isReady = greeting !== null;
      if (greeting) resolve(greeting);
      if (failed !== undefined) reject(new Error(`the server did not start: ${failed}\n${text}`));
    });
    void closed.then(() => reject(new Error(`the host of the servers has ended: ${text}`)));
  });
  tell({ start: { env, offsetMs } });
  const [, issuer = '', address = issuer] = await ready;
  return {
    issuer,
    address,
    output: () => text,
    advance: (seconds) =>
      new Promise((resolve) => {
        advances.push(resolve);
        tell({ advanceMs: seconds * 1000 });
      }),
    stop: () => {
      tell({ stop: true });
      return closed;
    },
  };
}
