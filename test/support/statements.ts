import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** The statements that a program sends to PostgreSQL, with their values, read from the connection (PostgreSQL protocol 3.0, §55.7). */
export class Statements {
  readonly texts: string[] = [];
  #target: URL | undefined;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor() {
    this.#server = createServer((client) => this.#join(client));
  }

  static async open(): Promise<Statements> {
    const statements = new Statements();
    await new Promise<void>((resolve) => statements.#server.listen(0, '127.0.0.1', resolve));
    return statements;
  }

  /** The same database, through this proxy. */
  through = (url: string): string => {
    this.#target = new URL(url);
    const { port } = this.#server.address() as AddressInfo;
    return Object.assign(new URL(url), { host: `127.0.0.1:${port}` }).href;
  };

  /** The matching statements of an action, sorted: equal actions have equal lists. */
  async of(pattern: RegExp, deed: () => Promise<unknown>): Promise<string[]> {
    const from = this.texts.length;
    await deed();
    return this.texts
      .slice(from)
      .filter((text) => pattern.test(text))
      .sort();
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #join(client: Socket): void {
    const { hostname = '', port = '' } = this.#target ?? {};
    const server = connect(Number(port || 5432), hostname);
    const read = reader((text) => this.texts.push(text));
    client.on('data', read);
    client.pipe(server).pipe(client);
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => this.#sockets.delete(socket));
    }
  }
}

/** Reads the messages of one connection, however they are split. */
function reader(said: (text: string) => void): (chunk: Buffer) => void {
  let rest = Buffer.alloc(0);
  let isStarted = false;
  const named = new Map<string, string>();
  const message = (type: string, body: Buffer) => {
    const [first = '', second = ''] = body.toString('utf8').split('\0');
    if (type === 'Q') said(first);
    if (type === 'P') named.set(first, second);
    if (type === 'B') said(`${named.get(second) ?? ''} -- ${body.toString('latin1')}`);
  };
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    for (;;) {
      const head = isStarted ? 1 : 0;
      if (rest.length < head + 4) return;
      const length = head + rest.readInt32BE(head);
      if (rest.length < length) return;
      if (isStarted) message(String.fromCharCode(rest[0] ?? 0), rest.subarray(5, length));
      isStarted = true;
      rest = rest.subarray(length);
    }
  };
}
