import { type AdminApi, asOwner } from './admin.ts';
import { Gateway } from './gateway.ts';
import { api, password, standardInstallation } from './installation.ts';
import { type Latchkey, startLatchkey } from './latchkey.ts';
import type { Page, UserAgent } from './user-agent.ts';

/** A person's pages about their own API keys, in a browser without JavaScript. */
export class OwnKeys {
  readonly agent: UserAgent;

  private constructor(agent: UserAgent) {
    this.agent = agent;
  }

  static async of(latchkey: Latchkey, login: string, secret = password, language?: string): Promise<OwnKeys> {
    const agent = latchkey.browser(undefined, language);
    await agent.submit(await agent.get('/sign-in'), { login, password: secret }, '/sign-in');
    return new OwnKeys(agent);
  }

  get(path = ''): Promise<Page> {
    return this.agent.get(`/account/keys${path}`);
  }

  /** Opens an act's page and sends its form. */
  async act(path: string, fields: Record<string, string | string[]> = {}): Promise<Page> {
    return this.send(await this.get(path), fields);
  }

  /** Sends the form of an act's page that is open. */
  send(
    page: Page,
    fields: Record<string, string | string[]> = {},
    headers: Record<string, string> = {},
  ): Promise<Page> {
    return this.agent.submit(page, fields, '/account/keys/', headers);
  }

  mint(fields: Record<string, string | string[]> = {}): Promise<Page> {
    return this.act('/new', {
      name: 'My script',
      environment: 'dev',
      permissions_selected: 'orders:read',
      risk: 'medium',
      ...fields,
    });
  }

  /** A form that no page of ours showed: everything right but that it may not be sent. */
  async forge(path: string, fields: Record<string, string> = {}): Promise<Page> {
    const token = /name="csrf" value="([^"]*)"/.exec((await this.agent.get('/account/password')).html)?.[1];
    return this.agent.post(`/account/keys${path}`, new URLSearchParams({ csrf: token ?? '', ...fields }));
  }
}

/** A server of the test file's own, at which these people may have keys, and what may be done there. */
class OwnKeysSite {
  readonly latchkey: Latchkey;
  #owner: AdminApi | undefined;
  #gateway: Gateway | undefined;

  constructor(latchkey: Latchkey) {
    this.latchkey = latchkey;
  }

  /** Gets new tokens and keys of its own: the old ones count for ten minutes, and tests move the clock. */
  async renew(): Promise<void> {
    this.#owner = await asOwner(this.latchkey);
    this.#gateway = await Gateway.open(this.latchkey, this.#owner);
  }

  get owner(): AdminApi {
    if (!this.#owner) throw new Error('not started');
    return this.#owner;
  }

  get gateway(): Gateway {
    if (!this.#gateway) throw new Error('not started');
    return this.#gateway;
  }

  verdict = (key: string, permission = 'orders:read') => this.gateway.verify({ key, permission });
  works = async (key: string): Promise<boolean> => (await this.verdict(key)).valid;
}

const rights = [
  { pattern: 'orders:read' },
  { pattern: 'reports:*' },
  { resource: api, pattern: 'read' },
  { resource: api, pattern: 'write' },
];

/** For a describe block: starts Latchkey with these people, who as a `buyer` may have keys, and renews what tests ask with before each. */
export function startWithOwnKeys(people: readonly string[]): OwnKeysSite {
  const users = people.map((username) => ({ username, password }));
  const site = new OwnKeysSite(
    startLatchkey({ apply: { ...standardInstallation, users: [...standardInstallation.users, ...users] } }),
  );
  beforeAll(async () => letPeople(await asOwner(site.latchkey), { role: 'buyer', people, rights }));
  beforeEach(() => site.renew());
  return site;
}

/** What one may do with a key, each at an address of its own. */
export const keyActions = ['change', 'rotate', 'disable', 'enable', 'revoke'];

/** What a page finds wrong, by field. */
export const errorsOn = ({ html }: Page): Record<string, string | undefined> =>
  Object.fromEntries(
    [...html.matchAll(/<small id="([a-z_]+)-error" class="problem">([^<]*)</g)].map(([, field, text]) => [field, text]),
  );

export const keyOn = ({ html }: Page): string => /sk_[a-z]+_[0-9A-Za-z]{49}/.exec(html)?.[0] ?? '';

/** Where the page of the key is that was made. */
export const pathOn = ({ html }: Page): string => /href="\/account\/keys(\/[0-9a-f-]{36})"/.exec(html)?.[1] ?? '';

/** Makes a role with these rights, and gives it to a person. */
export async function letPeople(
  owner: AdminApi,
  {
    role,
    people,
    rights,
  }: { role: string; people: readonly string[]; rights: { resource?: string; pattern: string }[] },
): Promise<void> {
  const { status, body } = await owner.post('/roles', { name: role, permissions: rights });
  if (status !== 201) throw new Error(JSON.stringify(body));
  for (const username of people) await owner.put(`/roles/${role}/assignments/user/${username}`, {});
}
