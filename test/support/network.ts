import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { freePort } from './free-port.ts';

type Pair = { client: Socket; server: Socket };

/**
 * The network between a program and its server, controlled by a test: between Latchkey and PostgreSQL, or between a proxy and
 * Latchkey. It can refuse, drop or reset connections, or redirect them.
 */
export class Network {
  #target: { host: string; port: number };
  #server: Server | undefined;
  #port: number | undefined;
  #isSilent = false;
  readonly #pairs = new Set<Pair>();
  readonly #dead = new Set<Pair>();

  private constructor(target: URL) {
    this.#target = { host: target.hostname, port: Number(target.port || 5432) };
  }

  /** Opens a network in front of the server at this address. */
  static async open(url: string): Promise<Network> {
    const network = new Network(new URL(url));
    await network.#listen();
    return network;
  }

  /** The same address, through this network. */
  through = (url: string): string => Object.assign(new URL(url), { host: `127.0.0.1:${this.#port}` }).href;

  /** Redirects new connections, as after a failover; open ones keep their target. */
  lead(url: string): void {
    this.#target = { host: new URL(url).hostname, port: Number(new URL(url).port) };
  }

  /** Refuses new connections, and resets open ones. */
  async refuse(): Promise<void> {
    const closed = new Promise((resolve) => this.#server?.close(resolve));
    this.reset();
    await closed;
  }

  /** Resets every open connection; new ones are accepted. */
  reset(): void {
    for (const { client, server } of [...this.#pairs, ...this.#dead]) {
      client.resetAndDestroy();
      server.resetAndDestroy();
    }
    this.#pairs.clear();
    this.#dead.clear();
  }

  /** Drops all data in both directions without an error, like a frozen machine or a cut cable. */
  silence(): void {
    this.#isSilent = true;
    for (const { client, server } of this.#pairs) {
      client.pause();
      server.pause();
    }
  }

  /** Restores the network. Earlier connections continue, or stay `dead` as after a failover. */
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

  /** Resolves on the next connection. */
  async knockedAt(): Promise<void> {
    await new Promise((resolve) => this.#server?.once('connection', resolve));
  }

  async close(): Promise<void> {
    if (this.#server?.listening) await this.refuse();
  }

  async #listen(): Promise<void> {
    this.#port ??= await freePort();
    this.#server = createServer((client) => this.#accept(client)).listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
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
