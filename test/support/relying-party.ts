import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Latchkey } from './latchkey.ts';
import { UserAgent } from './user-agent.ts';

/** An application on a free port that users sign in to; it is built once the issuer is known. */
export class RelyingParty {
  readonly #server = createServer();

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  serve(listener: RequestListener): void {
    this.#server.on('request', listener);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /**
   * Signs a user in: from the application to Latchkey and back.
   *
   * @param start the request that makes the application redirect to Latchkey; returns the resulting page
   * @returns the browser at the application, and the address that it was redirected to
   */
  async signIn(
    latchkey: Latchkey,
    start: (visitor: UserAgent) => Promise<{ url: string }>,
  ): Promise<{ visitor: UserAgent; asked: URLSearchParams; landed: { status: number; html: string } }> {
    const visitor = new UserAgent(this.origin);
    const { url } = await start(visitor);
    if (!url.startsWith(`${latchkey.issuer}/oauth/authorize`)) throw new Error(`not sent to Latchkey, but to ${url}`);
    const back = await latchkey.visit(latchkey.browser(), url);
    // Its public address may differ, as behind a proxy.
    const { pathname, search } = new URL(back.url);
    return { visitor, asked: new URL(url).searchParams, landed: await visitor.get(`${pathname}${search}`) };
  }
}
