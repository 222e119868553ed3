// A process that runs servers of one or several installations, as `latchkey serve` would in separate processes, and commands: this
// saves the time to load the program. Each connection to its socket is one server or command.
import { rmSync } from 'node:fs';
import module from 'node:module';
import { createServer, type Socket } from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { withClock } from './clock.js';
import { hostProcesses, inHostedProcess, runHosted } from './hosted-process.ts';
import type { FromHost, ToHost } from './hosted-server.ts';

type Send = (message: FromHost) => void;
type Order<K extends keyof ToHost> = NonNullable<ToHost[K]>;
type Served = Awaited<ReturnType<typeof import('../../src/server/workers.ts')['serveRequests']>>;

const root = path.join(import.meta.dirname, '../..');
module.enableCompileCache(path.join(root, 'node_modules', '.cache', 'latchkey'));

class HostedServer {
  readonly #clock = { offsetMs: 0 };
  readonly #stop = new AbortController();
  readonly #send: Send;
  #serving: Promise<Served | undefined> = Promise.resolve(undefined);

  constructor(send: Send) {
    this.#send = send;
  }

  start({ env, offsetMs }: Order<'start'>): void {
    this.#clock.offsetMs = offsetMs;
    this.#serving = this.#inside(() => this.#serve(env));
  }

  async #serve(env: Record<string, string>): Promise<Served | undefined> {
    const [{ readConfig }, { serveRequests }] = await Promise.all([
      import('../../src/config.ts'),
      import('../../src/server/workers.ts'),
    ]);
    const line = (text: string) => this.#send({ output: `${text}\n` });
    try {
      return await serveRequests(readConfig(env), { say: line, note: line, signal: this.#stop.signal });
    } catch (error) {
      this.#send({ failed: error instanceof Error ? error.message : String(error) });
      return undefined;
    }
  }

  advance(ms: number): void {
    this.#clock.offsetMs += ms;
    this.#send({ advanced: true });
  }

  async close(): Promise<void> {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort();
    const server = await this.#serving;
    await this.#inside(async () => server?.close());
  }

  #inside<T>(work: () => T): T {
    return inHostedProcess({ write: (output) => this.#send({ output }) }, () => withClock(this.#clock, work));
  }
}

/** Like bin/latchkey.js and src/server/latchkey.ts. */
async function runCommand(order: Order<'run'>, send: Send): Promise<void> {
  const [{ program }, { commandHost }] = await Promise.all([
    import('../../src/entrypoints/cli/index.ts'),
    import('../../src/server/command-host.ts'),
  ]);
  const write = (output: string, fd: 1 | 2) => send({ output, fd });
  // A command has a correct clock, whatever those of the servers.
  const run = () => withClock({ offsetMs: 0 }, () => runHosted(order, write, () => program(commandHost).parseAsync()));
  await inFolder(order.folder, run).then((ended) => send({ ended }), failing(send));
}

let folderIsFree: Promise<unknown> = Promise.resolve();

/** Runs a command in the folder of its user. */
function inFolder<T>(folder: string | undefined, run: () => Promise<T>): Promise<T> {
  if (folder === undefined) return run();
  const ran = folderIsFree.then(() => {
    process.chdir(folder);
    return run().finally(() => process.chdir(root));
  });
  folderIsFree = ran.catch(() => undefined);
  return ran;
}

/** Like src/server/main.ts with LATCHKEY_APPLY. */
async function applyFile({ env }: Order<'apply'>, send: Send): Promise<void> {
  const [{ readConfig }, { applyConfiguration, readConfigurationFile }, { applyDeps }, server, jobs, http] =
    await Promise.all([
      import('../../src/config.ts'),
      import('../../src/domain/apply/index.ts'),
      import('../../src/server/compose/apply.ts'),
      import('../../src/server/installation.ts'),
      import('../../src/platform/jobs/index.ts'),
      import('../../src/platform/http/index.ts'),
    ]);
  const config = readConfig(env);
  const installation = await server.openInstallation(config);
  const sender = new jobs.JobSender(installation.databaseUrl, config.logLevel);
  try {
    const deps = applyDeps(config, installation, sender);
    const file = await readConfigurationFile(config.applyFile ?? '', () => undefined);
    await applyConfiguration(deps, http.system, file, { missingSecrets: 'refuse' });
  } finally {
    await sender.close();
    await installation.close();
  }
  send({ applied: true });
}

const failing = (send: Send) => (error: unknown) =>
  send({ failed: error instanceof Error ? (error.stack ?? error.message) : String(error) });

function accept(socket: Socket): void {
  // The test may disconnect before it has received everything.
  socket.on('error', () => undefined);
  const send: Send = (message) => {
    if (socket.writable) socket.write(`${JSON.stringify(message)}\n`);
  };
  const server = new HostedServer(send);
  createInterface({ input: socket }).on('line', (text) => {
    const order: ToHost = JSON.parse(text);
    if (order.start) server.start(order.start);
    if (order.advanceMs !== undefined) server.advance(order.advanceMs);
    if (order.stop) void server.close().then(() => socket.end());
    if (order.apply)
      void applyFile(order.apply, send)
        .catch(failing(send))
        .then(() => socket.end());
    if (order.run) void runCommand(order.run, send).then(() => socket.end());
  });
  socket.on('close', () => void server.close());
}

hostProcesses();
// It ends with its test run.
process.on('disconnect', () => process.exit(0));
const [, , socketPath = ''] = process.argv;
// An earlier host that ended may have left the socket.
rmSync(socketPath, { force: true });
createServer(accept).listen(socketPath, () => process.send?.('listening'));
