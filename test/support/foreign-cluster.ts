import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { decodeJwt } from 'jose';

type Status = { authenticated?: boolean; audiences?: string[]; user?: { username: string } };
type Asked = { authorization: string | undefined; token: string; audiences: string[] };

/** The token review endpoint of a Kubernetes API server. */
export class ForeignCluster {
  readonly address: string;
  readonly #server: Server;
  /** The requests that it received. */
  readonly asked: Asked[] = [];
  /** Its response, instead of accepting every token. */
  says: { http?: number; status?: Status; isSilent?: boolean } = {};

  private constructor(server: Server) {
    this.#server = server;
    this.address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async serving(): Promise<ForeignCluster> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
    const made = new ForeignCluster(server);
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        if (request.method !== 'POST' || request.url !== '/apis/authentication.k8s.io/v1/tokenreviews') {
          response.writeHead(404).end();
          return;
        }
        const { spec } = JSON.parse(Buffer.concat(chunks).toString()) as { spec: Omit<Asked, 'authorization'> };
        made.asked.push({ authorization: request.headers.authorization, ...spec });
        if (made.says.isSilent) return;
        const username = String(decodeJwt(spec.token).sub);
        const status = made.says.status ?? { authenticated: true, audiences: spec.audiences, user: { username } };
        response.writeHead(made.says.http ?? 201, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', status }));
      });
    });
    return made;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
