import { once } from 'node:events';
import { createConnection } from 'node:net';
import { createInterface } from 'node:readline';

export type RunningServer = {
  issuer: string;
  /** Where it listens, which is not its issuer behind a proxy. */
  address: string;
  /** Everything it has printed and logged. */
  output: () => string;
  /** Moves this server's clock alone, away from the database's. */
  advance: (seconds: number) => Promise<void>;
  stop: () => Promise<void>;
};

/** An order of a test to the host of its server, one a line. */
export type ToHost = {
  start?: { env: Record<string, string>; offsetMs: number };
  advanceMs?: number;
  stop?: true;
};

/** What the host tells the test. */
export type FromHost = { output?: string; failed?: string; advanced?: true };

const ownVariables = new Set(['WEB_CONCURRENCY', 'LATCHKEY_METRICS_PORT', 'NODE_ENV']);

/** Whether these settings leave the process as it is: its environment, its workers, and what is measured of it. */
export function canBeHosted(env: Record<string, string>): boolean {
  const isSetting = (name: string) => /^(LATCHKEY_|PORT$|HOST$|LOG_LEVEL$|DATABASE_URL$)/.test(name);
  return Object.keys(env).every((name) => isSetting(name) && !ownVariables.has(name));
}

/** The socket of the host that serves this worker of Jest; undefined where there is none. */
export function hostOfThisWorker(): string | undefined {
  const folder = process.env.LATCHKEY_TEST_HOSTS;
  return folder && `${folder}/${process.env.JEST_WORKER_ID ?? 1}.sock`;
}

/** Starts a server in the host, and waits until it says that it is ready. */
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
  // A host that dies is told by what waits for it.
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
