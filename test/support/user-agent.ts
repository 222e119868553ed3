export type Page = { status: number; url: string; headers: Headers; html: string };

/** A browser without JavaScript: keeps cookies by path, follows redirects, submits the forms of its pages. */
export class UserAgent {
  readonly #cookies = new Map<string, { name: string; value: string; path: string }>();
  /** Redirects to addresses outside of the server are returned, not followed. */
  readonly #home: string;
  readonly #name: string;
  readonly #language: string;

  constructor(home: string, name = 'A browser of the tests', language = '*') {
    this.#home = home;
    this.#name = name;
    this.#language = language;
  }

  get(url: string): Promise<Page> {
    return this.#visit(new URL(url, this.#home).href, { method: 'GET' });
  }

  /** Posts a form of the page: the one whose action contains `action`, with its hidden fields; one that is given replaces a hidden one. */
  submit(
    page: Page,
    fields: Record<string, string | string[]> = {},
    action = '',
    headers: Record<string, string> = {},
  ): Promise<Page> {
    const form = forms(page.html).find((each) => each.action.includes(action));
    if (!form) throw new Error(`no form ${action} on ${page.url} (${page.status}): ${page.html.slice(0, 400)}`);
    const body = new URLSearchParams(form.hidden);
    for (const [name, value] of Object.entries(fields)) {
      body.delete(name);
      for (const each of [value].flat()) body.append(name, each);
    }
    return this.post(new URL(form.action || page.url, page.url).href, body, headers);
  }

  post(url: string, body: URLSearchParams, headers: Record<string, string> = {}): Promise<Page> {
    return this.#visit(new URL(url, this.#home).href, {
      method: 'POST',
      body,
      headers: { origin: this.#home, ...headers },
    });
  }

  /** Sets a cookie, as an attacker could. */
  setCookie(name: string, value: string, path = '/'): void {
    this.#cookies.set(`${name} ${path}`, { name, value, path });
  }

  cookies(): { name: string; value: string; path: string }[] {
    return [...this.#cookies.values()];
  }

  async #visit(url: string, init: RequestInit): Promise<Page> {
    let page = await this.#request(url, init);
    for (let hops = 0; page.status >= 300 && page.status < 400 && hops < 20; hops += 1) {
      const target = new URL(page.headers.get('location') ?? '', page.url).href;
      if (!target.startsWith(`${this.#home}/`)) return { ...page, url: target };
      page = await this.#request(target, { method: 'GET' });
    }
    return page;
  }

  async #request(url: string, init: RequestInit): Promise<Page> {
    const headers = {
      accept: 'text/html',
      'user-agent': this.#name,
      'accept-language': this.#language,
      cookie: this.cookieHeader(url),
      ...(init.headers as Record<string, string>),
    };
    const response = await fetch(url, { ...init, headers, redirect: 'manual' });
    for (const line of response.headers.getSetCookie()) this.#store(line);
    return { status: response.status, url, headers: response.headers, html: await response.text() };
  }

  /** The cookies that it would send to this address. */
  cookieHeader(url: string): string {
    const { pathname } = new URL(url);
    const sent = this.cookies().filter(
      ({ path }) => path === '/' || pathname === path || pathname.startsWith(`${path}/`),
    );
    return sent.map(({ name, value }) => `${name}=${value}`).join('; ');
  }

  #store(line: string): void {
    const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
    const name = pair.slice(0, pair.indexOf('='));
    const value = pair.slice(pair.indexOf('=') + 1);
    const path = attributes.find((attribute) => /^path=/i.test(attribute))?.slice(5) ?? '/';
    const isGone = value === '' || attributes.some((attribute) => /^expires=thu, 01 jan 1970/i.test(attribute));
    if (isGone) this.#cookies.delete(`${name} ${path}`);
    else this.#cookies.set(`${name} ${path}`, { name, value, path });
  }
}

type Form = { action: string; hidden: [string, string][] };

function forms(html: string): Form[] {
  // Search forms use GET.
  const found = [...html.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/g)];
  const posted = found.filter(([, attributes = '']) => !attributes.includes('method="get"'));
  return posted.map(([, attributes = '', content = '']) => ({
    action: unescaped(/action="([^"]*)"/.exec(attributes)?.[1] ?? ''),
    hidden: [...content.matchAll(/<input\b[^>]*type="hidden"[^>]*>/g)].map(([input]) => [
      /name="([^"]*)"/.exec(input)?.[1] ?? '',
      unescaped(/value="([^"]*)"/.exec(input)?.[1] ?? ''),
    ]),
  }));
}

function unescaped(text: string): string {
  return text
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
}
