import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

type Published = { body: string; status?: number; headers?: Record<string, string> };

/** A host of client ID metadata documents and key sets, on this machine. */
export class DocumentHost {
  readonly #published = new Map<string, Published>();
  #server: Server | undefined;
  /** How often something was fetched. */
  fetches = 0;
  /** What any other path of it answers with. */
  others: ((url: string) => Published) | undefined;

  async start(port = 0): Promise<void> {
    this.#server = createServer((request, response) => {
      this.fetches += 1;
      const found = this.#published.get(request.url ?? '') ?? this.others?.(`${this.origin}${request.url}`);
      const { status = 200, headers = {}, body = '' } = found ?? { status: 404 };
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body);
    }).listen(port, '127.0.0.1');
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
    return `http://localhost:${this.port}`;
  }

  /** Publishes JSON, or text as it is. @returns its address */
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
