// A process that serves one installation after another, or several, as `latchkey serve` would in processes of their own: a start
// then costs only what it does itself, and not the loading of the program. Each connection to its socket is one server.
import { AsyncLocalStorage } from 'node:async_hooks';
import fs from 'node:fs';
import module from 'node:module';
import { createServer, type Socket } from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { withClock } from './clock.ts';
import type { FromHost, ToHost } from './hosted-server.ts';

type Send = (message: FromHost) => void;
type Served = Awaited<ReturnType<typeof import('../../src/server/workers.ts')['serveRequests']>>;

const root = path.join(import.meta.dirname, '../..');
module.enableCompileCache(path.join(root, 'node_modules', '.cache', 'latchkey'));

const outputs = new AsyncLocalStorage<Send>();

class HostedServer {
  readonly #clock = { offsetMs: 0 };
  readonly #stop = new AbortController();
  readonly #send: Send;
  #serving: Promise<Served | undefined> = Promise.resolve(undefined);

  constructor(send: Send) {
    this.#send = send;
  }

  start({ env, offsetMs }: NonNullable<ToHost['start']>): void {
    this.#clock.offsetMs = offsetMs;
    this.#serving = outputs.run(this.#send, () => withClock(this.#clock, () => this.#serve(env)));
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
    await outputs.run(this.#send, () => withClock(this.#clock, async () => server?.close()));
  }
}

function accept(socket: Socket): void {
  // The test may be gone before it has heard everything.
  socket.on('error', () => undefined);
  const server = new HostedServer((message) => {
    if (socket.writable) socket.write(`${JSON.stringify(message)}\n`);
  });
  createInterface({ input: socket }).on('line', (text) => {
    const order: ToHost = JSON.parse(text);
    if (order.start) server.start(order.start);
    if (order.advanceMs !== undefined) server.advance(order.advanceMs);
    if (order.stop) void server.close().then(() => socket.end());
  });
  socket.on('close', () => void server.close());
}

/** What a server writes to standard output and standard error goes to its own test. */
function routeOutput(): void {
  const { writeSync } = fs;
  const routed = (fd: number, ...given: [string]) => {
    const send = fd === 1 || fd === 2 ? outputs.getStore() : undefined;
    if (!send) return writeSync(fd, ...given);
    send({ output: String(given[0]) });
    return Buffer.byteLength(given[0]);
  };
  Object.assign(fs, { writeSync: routed });
  for (const stream of [process.stdout, process.stderr]) {
    const write = stream.write.bind(stream);
    const instead = (text: string, done?: (error?: Error | null) => void) => {
      const send = outputs.getStore();
      if (!send) return write(text, done);
      send({ output: text });
      done?.();
      return true;
    };
    Object.assign(stream, { write: instead });
  }
}

routeOutput();
// It ends with the run that started it.
process.on('disconnect', () => process.exit(0));
createServer(accept).listen(process.argv[2], () => process.send?.('listening'));
