import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type Agent, createServer, type IncomingMessage, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer, text } from 'node:stream/consumers';

export type Seen = { method: string; url: string; headers: NodeJS.Dict<string[]>; digest: string };

/** The handshake in RFC 6455 §1.3, and its response. */
export const websocketHandshake = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
  'sec-websocket-version': '13',
};
const websocketAnswer = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=';

export const digestOf = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

/** An API that records its requests, and accepts any protocol upgrade. */
export class RecordingApi {
  readonly seen: Seen[] = [];
  readonly #server: Server;

  private constructor() {
    this.#server = createServer(async (asked, response) => {
      this.#see(asked, digestOf(await buffer(asked)));
      response.end('served');
    });
    this.#server.on('upgrade', (asked: IncomingMessage, socket) => {
      this.#see(asked, '');
      const taken = ['HTTP/1.1 101 Switching Protocols', 'Connection: Upgrade', `Upgrade: ${asked.headers.upgrade}`];
      socket.end(`${taken.join('\r\n')}\r\nSec-WebSocket-Accept: ${websocketAnswer}\r\n\r\n`);
    });
  }

  static async open(): Promise<RecordingApi> {
    const api = new RecordingApi();
    await once(api.#server.listen(0, '127.0.0.1'), 'listening');
    return api;
  }

  /** As `host:port`. */
  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.close();
  }

  #see({ method = '', url = '', headersDistinct: headers }: IncomingMessage, digest: string): void {
    this.seen.push({ method, url, headers, digest });
  }
}

export type Sent = {
  method?: string;
  headers?: Record<string, string | string[]>;
  body?: Buffer;
  chunked?: boolean;
  /** The agent for connections; default: a new connection for each request. */
  agent?: Agent;
};

/** Sends a request unchanged, even one that no browser would send. */
export async function sendAsWritten(
  origin: string,
  path: string,
  { method = 'GET', headers = {}, body, chunked = false, agent }: Sent = {},
) {
  const { hostname, port } = new URL(origin);
  const length = chunked ? { 'transfer-encoding': 'chunked' } : { 'content-length': String(body?.length ?? 0) };
  const given = { ...(body && length), ...headers };
  const sent = request({ hostname, port, path, method, headers: given, agent: agent ?? false });
  sent.end(body);
  const [answer] = (await Promise.race([
    once(sent, 'response'),
    once(sent, 'upgrade').then(([each, socket]) => [each, socket.destroy()]),
  ])) as [IncomingMessage];
  const status = answer.statusCode ?? 0;
  return { status, headers: answer.headers, text: status === 101 ? '' : await text(answer) };
}
