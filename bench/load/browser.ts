import { password, redirectUri } from '../installation.ts';
import { type Answer, type Connection, headerOf, headersOf, requestText } from './connection.ts';

const mostSteps = 20;

/**
 * A browser without JavaScript on one connection: keeps cookies, follows redirects, fills in the sign-in and consent forms. Each user
 * has their own address, sent as a proxy does: the number of unfinished sign-ins of one address is limited.
 */
export class Browser {
  readonly #connection: Connection;
  readonly #cookies = new Map<string, { value: string; path: string }>();

  readonly #address: string;

  constructor(connection: Connection, person: number) {
    this.#connection = connection;
    this.#address = `198.51.100.${person}`;
  }

  /** Follows the pages until the client's redirect URI, and returns it. */
  async visit(path: string, login: string): Promise<URL> {
    let answer = await this.#get(path);
    for (let step = 0; step < mostSteps; step += 1) {
      const location = headerOf(answer.head, 'location');
      if (location?.startsWith(redirectUri)) return new URL(location);
      answer = location ? await this.#get(location) : await this.#submit(answer, login);
    }
    throw new Error('the pages lead nowhere');
  }

  /** Opens the sign-in page, and returns the request that submits its filled-in form. */
  async signInForm(path: string, login: string): Promise<string> {
    const location = headerOf((await this.#get(path)).head, 'location');
    if (!location) throw new Error('the pages lead to no sign-in');
    return this.#filledIn(await this.#get(location), login);
  }

  /** Signs in on the sign-in page that a path leads to. */
  async signIn(path: string, login: string): Promise<void> {
    await this.#send(await this.signInForm(path, login));
  }

  /** The page at a path. */
  page(path: string): Promise<Answer> {
    return this.#get(path);
  }

  /** The `Cookie` header for a path. */
  cookiesFor(path: string): string {
    const fitting = [...this.#cookies].filter(([, cookie]) => path.startsWith(cookie.path));
    return fitting.map(([name, { value }]) => `${name}=${value}`).join('; ');
  }

  /** Stores the cookies of a response. */
  keepCookies({ head }: Answer): void {
    for (const line of headersOf(head, 'set-cookie')) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      const path = /;\s*path=([^;]+)/i.exec(line)?.[1] ?? '/';
      this.#cookies.set(name, { value, path });
    }
  }

  async #get(location: string): Promise<Answer> {
    return this.#send(this.#request('GET', location, ''));
  }

  async #submit(page: Answer, login: string): Promise<Answer> {
    return this.#send(this.#filledIn(page, login));
  }

  #filledIn({ status, body }: Answer, login: string): string {
    const isSignIn = body.includes('name="password"');
    const action = new RegExp(`<form[^>]*action="([^"]*/${isSignIn ? 'sign-in' : 'consent'}(?:\\?[^"]*)?)"`).exec(
      body,
    )?.[1];
    const csrf = /name="csrf"[^>]*value="([^"]*)"/.exec(body)?.[1];
    if (!action || !csrf) throw new Error(`no form on the page: ${status} ${body.slice(0, 400)}`);
    const fields = isSignIn ? { login, password } : { decision: 'allow' };
    return this.#request('POST', action, new URLSearchParams({ csrf, ...fields }).toString());
  }

  #request(method: string, location: string, body: string): string {
    const { origin } = this.#connection;
    const { pathname, search } = new URL(location, origin);
    const cookie = this.cookiesFor(pathname);
    const headers = { accept: 'text/html', origin, cookie, 'x-forwarded-for': this.#address };
    const path = `${pathname}${search}`;
    return requestText(origin, { method, path, headers, body });
  }

  async #send(request: string): Promise<Answer> {
    const answer = await this.#connection.send(request);
    this.keepCookies(answer);
    return answer;
  }
}
