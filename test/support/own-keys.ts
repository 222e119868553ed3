import { type AdminApi, asOwner } from './admin.ts';
import { Gateway } from './gateway.ts';
import { api, password, standardInstallation } from './installation.ts';
import { type Latchkey, startLatchkey } from './latchkey.ts';
import type { Page, UserAgent } from './user-agent.ts';

/** The pages of a user's own API keys, in a browser without JavaScript. */
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

  /** Opens the page of an action and submits its form. */
  async act(path: string, fields: Record<string, string | string[]> = {}): Promise<Page> {
    return this.send(await this.get(path), fields);
  }

  /** Submits the form on the open page of an action. */
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

  /** Submits a forged form: it is valid except that no page showed it. */
  async forge(path: string, fields: Record<string, string> = {}): Promise<Page> {
    const token = /name="csrf" value="([^"]*)"/.exec((await this.agent.get('/account/password')).html)?.[1];
    return this.agent.post(`/account/keys${path}`, new URLSearchParams({ csrf: token ?? '', ...fields }));
  }
}

/** A server of the test file at which these users may have keys, and actions on it. */
class OwnKeysSite {
  readonly latchkey: Latchkey;
  #owner: AdminApi | undefined;
  #gateway: Gateway | undefined;

  constructor(latchkey: Latchkey) {
    this.latchkey = latchkey;
  }

  /** Gets new tokens and keys: they are valid for ten minutes, and tests move the clock. */
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

/** For a describe block: starts Latchkey with these users, who as a `buyer` may have keys, and renews its credentials before each test. */
export function startWithOwnKeys(people: readonly string[]): OwnKeysSite {
  const users = people.map((username) => ({ username, password }));
  const site = new OwnKeysSite(
    startLatchkey({ apply: { ...standardInstallation, users: [...standardInstallation.users, ...users] } }),
  );
  beforeAll(async () => letPeople(await asOwner(site.latchkey), { role: 'buyer', people, rights }));
  beforeEach(() => site.renew());
  return site;
}

/** The actions on a key, each with its own address. */
export const keyActions = ['change', 'rotate', 'disable', 'enable', 'revoke'];

/** The errors on a page, by field. */
export const errorsOn = ({ html }: Page): Record<string, string | undefined> =>
  Object.fromEntries(
    [...html.matchAll(/<small id="([a-z_]+)-error" class="problem">([^<]*)</g)].map(([, field, text]) => [field, text]),
  );

export const keyOn = ({ html }: Page): string => /sk_[a-z]+_[0-9A-Za-z]{49}/.exec(html)?.[0] ?? '';

/** The path of the page of the created key. */
export const pathOn = ({ html }: Page): string => /href="\/account\/keys(\/[0-9a-f-]{36})"/.exec(html)?.[1] ?? '';

/** Creates a role with these rights, and assigns it to a user. */
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
