import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export type Answer = { status: number; head: string; body: string };

/**
 * One keep-alive connection, one request at a time. Far cheaper than an HTTP client, so that on a small machine the load does not
 * compete with the server; it supports only responses with a length.
 */
export class Connection {
  readonly origin: string;
  #socket: Socket | undefined;
  #received = '';
  #settle: { resolve: (answer: Answer) => void; reject: (error: Error) => void } | undefined;

  constructor(origin: string) {
    this.origin = origin;
  }

  /** Opens it again: servers close connections that were idle for some seconds. */
  async open(): Promise<void> {
    this.#settle = undefined;
    this.#socket?.destroy();
    const { hostname, port } = new URL(this.origin);
    const socket = connect(Number(port), hostname).setEncoding('latin1').setNoDelay(true);
    socket.on('data', (text: string) => this.#receive(text));
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => this.#fail(new Error('the server closed the connection')));
    await once(socket, 'connect');
    this.#socket = socket;
  }

  /** Sends a whole request unchanged. */
  send(request: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
      this.#socket?.write(request, 'latin1');
    });
  }

  #receive(text: string): void {
    this.#received += text;
    const end = this.#received.indexOf('\r\n\r\n');
    if (end < 0) return;
    const head = this.#received.slice(0, end);
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
    if (this.#received.length < end + 4 + length) return;
    if (/\r\ntransfer-encoding:/i.test(head)) this.#fail(new Error(`an answer without a length: ${head}`));
    const body = this.#received.slice(end + 4, end + 4 + length);
    this.#received = '';
    this.#settle?.resolve({ status: Number(head.slice(9, 12)), head, body });
  }

  #fail(error: Error): void {
    this.#settle?.reject(error);
  }
}

/** The value of a response header. */
export function headerOf(head: string, name: string): string | undefined {
  return headersOf(head, name)[0];
}

/** The values of a repeated response header. */
export function headersOf(head: string, name: string): string[] {
  const start = `${name}: `;
  return head
    .split('\r\n')
    .filter((line) => line.length > start.length && line.slice(0, start.length).toLowerCase() === start)
    .map((line) => line.slice(start.length));
}

/** A request as bytes. */
export function requestText(
  origin: string,
  {
    method,
    path,
    headers = {},
    body = '',
  }: { method: string; path: string; headers?: Record<string, string>; body?: string },
): string {
  const { host } = new URL(origin);
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  const all = method === 'POST' ? { ...form, ...headers, 'content-length': body.length } : headers;
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${path} HTTP/1.1\r\nhost: ${host}\r\n${lines.join('')}\r\n${body}`;
}
