import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Latchkey } from './latchkey.ts';
import { UserAgent } from './user-agent.ts';

/** An application on a free port, which people sign in to; it is built once the issuer is known. */
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
   * A person who goes to the application, from there to Latchkey and back.
   *
   * @param start how the application is asked to send them away: the page that answered leads to Latchkey
   * @returns their browser at the application, and where it was sent away to
   */
  async signIn(
    latchkey: Latchkey,
    start: (visitor: UserAgent) => Promise<{ url: string }>,
  ): Promise<{ visitor: UserAgent; asked: URLSearchParams; landed: { status: number; html: string } }> {
    const visitor = new UserAgent(this.origin);
    const { url } = await start(visitor);
    if (!url.startsWith(`${latchkey.issuer}/oauth/authorize`)) throw new Error(`not sent to Latchkey, but to ${url}`);
    const back = await latchkey.visit(latchkey.browser(), url);
    // Its public address may be another one, as behind a proxy.
    const { pathname, search } = new URL(back.url);
    return { visitor, asked: new URL(url).searchParams, landed: await visitor.get(`${pathname}${search}`) };
  }
}
