import { password } from './installation.ts';
import type { Latchkey } from './latchkey.ts';
import type { Page, UserAgent } from './user-agent.ts';

/** The console in a browser without JavaScript, with a signed-in user. */
export class ConsoleBrowser {
  readonly agent: UserAgent;

  constructor(agent: UserAgent) {
    this.agent = agent;
  }

  get(path = ''): Promise<Page> {
    return this.agent.get(`/console${path}`);
  }

  /** Opens the page of an action and submits its form. */
  async act(path: string, fields: Record<string, string> = {}): Promise<Page> {
    return this.send(await this.get(path), fields);
  }

  /** Submits the form on the open page of an action. */
  send(page: Page, fields: Record<string, string> = {}): Promise<Page> {
    return this.agent.submit(page, fields, '/console/');
  }

  /** Submits a forged form: it is valid except that no page showed it. */
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

/** Creates a user with a role on the command line, and signs them in to the console. */
export async function consoleOfNew(latchkey: Latchkey, role: string): Promise<ConsoleBrowser> {
  const username = `${role}-${crypto.randomUUID().slice(0, 8)}`;
  const made = await latchkey.commandJson(['user', 'create', username, '--role', role]);
  return consoleAs(latchkey, username, String(made.password));
}

/** The text of a page, without its markup. */
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

/** The sections of the console that a page links to. */
export function sectionsOn({ html }: Page): string[] {
  const nav = /<nav class="side"[^>]*>([\s\S]*?)<\/nav>/.exec(html)?.[1] ?? '';
  const links = [...nav.matchAll(/<a href="\/console\/[^"]*"[^>]*>([\s\S]*?)<\/a>/g)];
  return links.map(([, content = '']) => content.replaceAll(/<[^>]*>/g, '').trim());
}

/** The state next to the name on a record's page. */
export function stateOn({ html }: Page): string | undefined {
  return /<h1>[\s\S]*?<mark class="state [^"]*">([^<]*)</.exec(html)?.[1];
}

/** The target of the first link with this text. */
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
