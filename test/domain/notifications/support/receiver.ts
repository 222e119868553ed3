import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { Webhook } from 'standardwebhooks';
import { eventually } from '../../../support/eventually.ts';

export type Received = { id: string; headers: IncomingHttpHeaders; body: string };
export type Told = { type: string; timestamp: string; data: Record<string, unknown> };

/** A receiver of events. Each request is answered with the next of `answers`, then with 204; 0: no response at all. */
export class Receiver {
  readonly received: Received[] = [];
  answers: number[] = [];
  always: number | undefined;
  #server: Server | undefined;
  #port = 0;

  async start(): Promise<void> {
    const server = createServer(async (request, response) => {
      const body = await text(request);
      this.received.push({ id: String(request.headers['webhook-id']), headers: request.headers, body });
      const status = this.always ?? this.answers.shift() ?? 204;
      if (status !== 0) response.writeHead(status).end();
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    this.#server = server;
    this.#port = (server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/hook`;
  }

  stop(): void {
    this.#server?.closeAllConnections();
    this.#server?.close();
  }

  /** The received messages, verified by Standard Webhooks' own library. @throws if a signature has another secret */
  verified(secret: string): Told[] {
    return this.received.map(({ body, headers }) => verify(secret, { body, headers }));
  }

  /** Waits until this number has arrived. */
  async until(count: number): Promise<void> {
    await eventually(
      () => this.received.length,
      (length) => length >= count,
    );
  }
}

export function verify(secret: string, { body, headers }: Pick<Received, 'body' | 'headers'>): Told {
  return new Webhook(secret).verify(body, headers as Record<string, string>) as Told;
}
