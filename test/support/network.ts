import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

type Pair = { client: Socket; server: Socket };

/**
 * The network between a program and the server it talks to, in the hands of a test: between Latchkey and PostgreSQL, or between
 * a proxy and Latchkey. It can refuse, fall silent, break, or lead elsewhere.
 */
export class Network {
  #target: { host: string; port: number };
  #server: Server | undefined;
  #port = 0;
  #isSilent = false;
  readonly #pairs = new Set<Pair>();
  readonly #dead = new Set<Pair>();

  private constructor(target: URL) {
    this.#target = { host: target.hostname, port: Number(target.port || 5432) };
  }

  /** Opens one in front of the server at this address. */
  static async open(url: string): Promise<Network> {
    const network = new Network(new URL(url));
    await network.#listen();
    return network;
  }

  /** The same address, through here. */
  through = (url: string): string => Object.assign(new URL(url), { host: `127.0.0.1:${this.#port}` }).href;

  /** The server moved, as after a failover; open connections keep their target. */
  lead(url: string): void {
    this.#target = { host: new URL(url).hostname, port: Number(new URL(url).port) };
  }

  /** No server listens any more, and open connections were reset. */
  async refuse(): Promise<void> {
    const closed = new Promise((resolve) => this.#server?.close(resolve));
    this.reset();
    await closed;
  }

  /** Breaks every open connection; new ones go through. */
  reset(): void {
    for (const { client, server } of [...this.#pairs, ...this.#dead]) {
      client.resetAndDestroy();
      server.resetAndDestroy();
    }
    this.#pairs.clear();
    this.#dead.clear();
  }

  /** Nothing gets through in either direction, without an error: a frozen machine, a cut cable. */
  silence(): void {
    this.#isSilent = true;
    for (const { client, server } of this.#pairs) {
      client.pause();
      server.pause();
    }
  }

  /** Everything works again. Connections from before a silence continue, or stay `dead` as after a failover. */
  async recover({ dead = false } = {}): Promise<void> {
    if (!this.#server?.listening) await this.#listen();
    this.#isSilent = false;
    if (dead) {
      for (const pair of this.#pairs) this.#dead.add(pair);
      this.#pairs.clear();
    }
    for (const { client, server } of this.#pairs) {
      client.resume();
      server.resume();
    }
  }

  /** Resolves at the next connection. */
  async knockedAt(): Promise<void> {
    await new Promise((resolve) => this.#server?.once('connection', resolve));
  }

  async close(): Promise<void> {
    if (this.#server?.listening) await this.refuse();
  }

  async #listen(): Promise<void> {
    this.#server = createServer((client) => this.#accept(client)).listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  #accept(client: Socket): void {
    const server = connect(this.#target);
    const pair = { client, server };
    this.#pairs.add(pair);
    const end = () => {
      client.destroy();
      server.destroy();
      this.#pairs.delete(pair);
    };
    for (const socket of [client, server]) socket.setNoDelay(true).on('error', end).on('close', end);
    client.on('data', (chunk) => server.write(chunk));
    server.on('data', (chunk) => client.write(chunk));
    if (!this.#isSilent) return;
    client.pause();
    server.pause();
  }
}
