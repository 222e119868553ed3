import { password } from './installation.ts';
import type { Latchkey } from './latchkey.ts';
import type { Page, UserAgent } from './user-agent.ts';

/** The console in a browser without JavaScript, as somebody who is signed in. */
export class ConsoleBrowser {
  readonly agent: UserAgent;

  constructor(agent: UserAgent) {
    this.agent = agent;
  }

  get(path = ''): Promise<Page> {
    return this.agent.get(`/console${path}`);
  }

  /** Opens an act's page and sends its form. */
  async act(path: string, fields: Record<string, string> = {}): Promise<Page> {
    return this.send(await this.get(path), fields);
  }

  /** Sends the form of an act's page that is open. */
  send(page: Page, fields: Record<string, string> = {}): Promise<Page> {
    return this.agent.submit(page, fields, '/console/');
  }

  /** A form that no page of ours showed: everything right but that it may not be sent. */
  async forge(path: string, fields: Record<string, string> = {}, csrf = true): Promise<Page> {
    const token = csrf ? /name="csrf" value="([^"]*)"/.exec((await this.agent.get('/account/password')).html)?.[1] : '';
    return this.agent.post(`/console${path}`, new URLSearchParams({ csrf: token ?? '', ...fields }));
  }
}

/** Signs in to the console. */
export async function consoleAs(latchkey: Latchkey, login = 'alice', secret = password): Promise<ConsoleBrowser> {
  const agent = latchkey.browser();
  await agent.submit(await agent.get('/sign-in'), { login, password: secret }, '/sign-in');
  return new ConsoleBrowser(agent);
}

/** Makes a person with a role as an operator at the machine does, and signs them in to the console. */
export async function consoleOfNew(latchkey: Latchkey, role: string): Promise<ConsoleBrowser> {
  const username = `${role}-${crypto.randomUUID().slice(0, 8)}`;
  const made = await latchkey.commandJson(['user', 'create', username, '--role', role]);
  return consoleAs(latchkey, username, String(made.password));
}

/** What a page says, without its markup. */
export function wordsOf({ html }: Page): string {
  const main = /<main[^>]*>([\s\S]*)<\/main>/.exec(html)?.[1] ?? html;
  return main
    .replaceAll(/<\/?(?:strong|bdi|mark|span|code)\b[^>]*>/g, '')
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&')
    .replaceAll(/\s+/g, ' ')
    .trim();
}

/** The parts of the console that a page leads to. */
export function sectionsOn({ html }: Page): string[] {
  const nav = /<nav class="side"[^>]*>([\s\S]*?)<\/nav>/.exec(html)?.[1] ?? '';
  const links = [...nav.matchAll(/<a href="\/console\/[^"]*"[^>]*>([\s\S]*?)<\/a>/g)];
  return links.map(([, content = '']) => content.replaceAll(/<[^>]*>/g, '').trim());
}

/** The state that a record's page shows beside its name. */
export function stateOn({ html }: Page): string | undefined {
  return /<h1>[\s\S]*?<mark class="state [^"]*">([^<]*)</.exec(html)?.[1];
}

/** Where the first link with this text leads. */
export function linkOn({ html }: Page, label: string): string | undefined {
  const links = [...html.matchAll(/<a [^>]*href="([^"]*)"[^>]*>([\s\S]*?)<\/a>/g)];
  return links
    .find(([, , text = '']) =>
      text
        .replaceAll(/<[^>]*>/g, '')
        .trim()
        .startsWith(label),
    )?.[1]
    ?.replaceAll('&amp;', '&');
}
