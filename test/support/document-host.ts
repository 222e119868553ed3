import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { freePort } from './free-port.ts';

type Published = { body: string; status?: number; headers?: Record<string, string> };

type Tls = { key: string; cert: string };

/** Compares the tag, or without one the date (RFC 9110 §13.1.3). */
function isKnown(asked: IncomingHttpHeaders, { etag, 'last-modified': date }: Record<string, string>): boolean {
  const tag = asked['if-none-match'];
  return tag === undefined ? date !== undefined && asked['if-modified-since'] === date : tag === etag;
}

/** A host of client ID metadata documents and key sets, on this machine; with a certificate, over TLS. */
export class DocumentHost {
  readonly #tls: Tls | undefined;
  readonly #published = new Map<string, Published>();
  #server: Server | undefined;
  /** The number of requests. */
  fetches = 0;
  /** The number of 304 responses (RFC 9110 §13.2.2). */
  confirmations = 0;
  /** Whether it answers 304 for a tag, regardless of the content. */
  answers304: ((tag: string | undefined) => boolean) | undefined;
  /** The response of all other paths. */
  others: ((url: string) => Published) | undefined;

  constructor(tls?: Tls) {
    this.#tls = tls;
  }

  async start(port?: number): Promise<void> {
    const answer: RequestListener = (request, response) => {
      this.fetches += 1;
      const found = this.#published.get(request.url ?? '') ?? this.others?.(`${this.origin}${request.url}`);
      // Like hosts with bot protection.
      const refused: Published | undefined = request.headers['user-agent'] ? undefined : { body: '', status: 403 };
      const { status = 200, headers = {}, body } = refused ?? found ?? { body: '', status: 404 };
      if (
        this.answers304?.(request.headers['if-none-match']) ??
        (status === 200 && isKnown(request.headers, headers))
      ) {
        this.confirmations += 1;
        response.writeHead(304, headers).end();
        return;
      }
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body);
    };
    this.#server = (this.#tls ? createTlsServer(this.#tls, answer) : createServer(answer)).listen(
      port ?? (await freePort()),
      '127.0.0.1',
    );
    await once(this.#server, 'listening');
  }

  async stop(): Promise<void> {
    this.#server?.closeAllConnections();
    this.#server?.close();
  }

  get port(): number {
    if (!this.#server) throw new Error('not started');
    return (this.#server.address() as AddressInfo).port;
  }

  get origin(): string {
    return `${this.#tls ? 'https' : 'http'}://localhost:${this.port}`;
  }

  /** Publishes JSON, or text unchanged. @returns its address */
  publish(path: string, content: unknown, more: Omit<Published, 'body'> = {}): string {
    this.#published.set(path, { body: typeof content === 'string' ? content : JSON.stringify(content), ...more });
    return `${this.origin}${path}`;
  }

  /** Publishes a metadata document. @returns its address, which is the `client_id` */
  document(path: string, members: Record<string, unknown>, more: Omit<Published, 'body'> = {}): string {
    const client_id = `${this.origin}${path}`;
    return this.publish(path, { client_id, token_endpoint_auth_method: 'none', ...members }, more);
  }
}
