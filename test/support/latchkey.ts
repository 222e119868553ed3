import { createHash, randomBytes } from 'node:crypto';
import { createTestDatabase, type TestDatabase } from './database.ts';
import { hostOfThisWorker, type RunningServer } from './hosted-server.ts';
import { api, password, redirectUri, standardInstallation } from './installation.ts';
import {
  type CommandResult,
  CommandRunner,
  type ServerOptions,
  type ServerProcess,
  startServer,
  startServerProcess,
  testRootKey,
} from './server.ts';
import { type Page, UserAgent } from './user-agent.ts';

export type Answer = {
  status: number;
  headers: Headers;
  body: Record<string, unknown> & { access_token: string; refresh_token: string; id_token: string; error: string };
};
export type Code = { code: string; code_verifier: string; redirect_uri: string; client_id: string };
export type AuthorizeOptions = {
  client_id?: string | null;
  redirect_uri?: string | null;
  scope?: string | null;
  resource?: string | null;
  [parameter: string]: string | null | undefined;
};

export type LatchkeyOptions = Partial<ServerOptions> & {
  /** The URL of another PostgreSQL than the one that all tests share. */
  adminUrl?: string;
  /** Changes the database URL of its servers. */
  through?: (url: string) => string;
  /** Whether its first server is a separate process, which can be killed and measured. */
  ownProcess?: boolean;
};

type TestClient = { client_id: string; client_secret?: string; token_endpoint_auth_method?: string };

/** A running Latchkey with its own database, started before the first test of a `describe` or file and stopped after its last. */
export class Latchkey {
  #database: TestDatabase | undefined;
  #clients = new Map<string, TestClient>();
  #through = (url: string) => url;
  readonly #servers: RunningServer[] = [];
  readonly #commands = new CommandRunner();
  #hasHostedNode = false;
  /** The number of seconds by which the clocks were moved. */
  #advanced = 0;

  async start({
    apply = standardInstallation,
    adminUrl,
    through = (url) => url,
    ownProcess = false,
    ...options
  }: LatchkeyOptions = {}): Promise<void> {
    const template = adminUrl ? undefined : templateFor(apply);
    const isThere = template !== undefined && template === process.env.LATCHKEY_TEST_STANDARD;
    this.#database = await createTestDatabase(adminUrl, template);
    this.#through = through;
    const { clients = [] } = apply as { clients?: TestClient[] };
    this.#clients = new Map(clients.map((client) => [client.client_id, client]));
    const first = { ...(isThere ? {} : { apply }), ...options };
    if (ownProcess) await this.startAnother(first);
    else this.#kept(await startServer(this.#placeOf(first)));
  }

  /**
   * Starts another node on the same database, with the same issuer, as if behind the same proxy. No two nodes of an installation share
   * a process: the second one is in the host for second nodes, others are separate processes.
   */
  async startNode(): Promise<RunningServer> {
    if (this.#hasHostedNode) return this.startNodeProcess();
    this.#hasHostedNode = true;
    return this.#kept(await startServer(this.#placeOf(this.#asNode), hostOfThisWorker('second')));
  }

  /** Starts a node as a separate process, which can be killed and measured. */
  startNodeProcess(): Promise<ServerProcess> {
    return this.startAnother(this.#asNode);
  }

  get #asNode(): Partial<ServerOptions> {
    return { env: { LATCHKEY_ISSUER: this.issuer, LATCHKEY_TRUST_PROXY: '1' } };
  }

  /** Starts another server process on the same database: nodes share nothing else, and so no process. */
  async startAnother(options: Partial<ServerOptions> = {}): Promise<ServerProcess> {
    return this.#kept(await startServerProcess(this.#placeOf(options)));
  }

  #placeOf(options: Partial<ServerOptions>): ServerOptions {
    const env = { ...options.env, TEST_CLOCK_OFFSET_MS: String(this.#advanced * 1000) };
    return { databaseUrl: this.#through(this.database.url), ...options, env };
  }

  #kept<S extends RunningServer>(server: S): S {
    this.#servers.push(server);
    return server;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.stop()));
    await this.#database?.drop();
  }

  /**
   * Runs a `latchkey` command on this installation while the server is running: without a separate process, if only the command
   * reads its variables. Concurrent commands are processes.
   */
  command(args: string[], input = '', settings: Record<string, string> = {}): Promise<CommandResult> {
    const env = { DATABASE_URL: this.database.url, LATCHKEY_ROOT_KEY: testRootKey, ...settings };
    return this.#commands.run(args, { env, input });
  }

  /** The output of a command with `--json`. */
  async commandJson(args: string[], input = '', settings = {}): Promise<Record<string, unknown>> {
    const { code, stdout, stderr } = await this.command([...args, '--json'], input, settings);
    if (code !== 0) throw new Error(stderr);
    return JSON.parse(stdout);
  }

  /** Moves the clocks of the database and of every node. */
  async advance(seconds: number): Promise<void> {
    const moveNodes = () => Promise.all(this.#servers.map((server) => server.advance(seconds)));
    await this.database.advance(seconds, moveNodes);
    this.#advanced += seconds;
  }

  /** The time by the clocks of the database and of every node, in seconds since 1970. */
  get seconds(): number {
    return Math.floor(Date.now() / 1000) + this.#advanced;
  }

  /** If a minute or day (UTC) is about to end, moves the clocks past its end, so that the test stays within one. */
  async stayWithin(period: 'minute' | 'day'): Promise<void> {
    const [seconds, needed] = { minute: [60, 40], day: [86_400, 600] }[period] as [number, number];
    const left = seconds - ((Date.now() / 1000 + this.#advanced) % seconds);
    if (left < needed) await this.advance(Math.ceil(left));
  }

  get database(): TestDatabase {
    if (!this.#database) throw new Error('not started');
    return this.#database;
  }

  /** The first server. */
  get server(): RunningServer {
    const [server] = this.#servers;
    if (!server) throw new Error('not started');
    return server;
  }

  /** The first server's process, if it is a separate one. */
  get process(): ServerProcess {
    const { server } = this;
    if (!isProcess(server)) throw new Error('start it with ownProcess: true');
    return server;
  }

  get issuer(): string {
    return this.server.issuer;
  }

  /** A new browser without JavaScript; `name`: its user agent. */
  browser(name?: string, language?: string): UserAgent {
    return new UserAgent(this.issuer, name, language);
  }

  /** Posts a form to an OAuth endpoint; `client_id` authenticates as registered, unless headers or body say otherwise. */
  async post(
    path: string,
    body: Record<string, string> | URLSearchParams | [string, string][],
    client_id?: string,
    node = this.issuer,
  ): Promise<Answer> {
    const parameters = new URLSearchParams(body);
    // Other nodes have the same public name, as behind a proxy.
    const headers: Record<string, string> = { 'x-forwarded-host': new URL(this.issuer).host };
    const { client_secret: secret, token_endpoint_auth_method: method } = this.#clients.get(client_id ?? '') ?? {};
    if (client_id && secret && method !== 'client_secret_post') headers.authorization = basic(client_id, secret);
    else if (client_id) parameters.set('client_id', client_id);
    if (secret && method === 'client_secret_post') parameters.set('client_secret', secret);
    return answerOf(await fetch(`${node}${path}`, { method: 'POST', body: parameters, headers }));
  }

  authorizeUrl({ code_verifier = randomBytes(32).toString('base64url'), ...options }: AuthorizeOptions = {}): string {
    const parameters = {
      client_id: 'web-app',
      response_type: 'code',
      redirect_uri: redirectUri,
      scope: 'openid profile read',
      resource: api,
      state: 'the state',
      code_challenge: createHash('sha256')
        .update(code_verifier ?? '')
        .digest('base64url'),
      code_challenge_method: 'S256',
      ...options,
    };
    const given = Object.entries(parameters).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
    return `${this.issuer}/oauth/authorize?${new URLSearchParams(given)}`;
  }

  /** Completes sign-in and consent as far as requested, and returns the address of the final redirect. */
  async visit(browser: UserAgent, url: string, { login = 'alice', tick = [] as string[] } = {}): Promise<Page> {
    let page = await browser.get(url);
    if (page.html.includes('name="password"')) page = await browser.submit(page, { login, password }, '/sign-in');
    // Another user was signed in: their session ends first, with a form that a browser with JavaScript submits automatically.
    if (page.html.includes('/oauth/logout/confirm')) page = await browser.submit(page, {}, '/oauth/logout/confirm');
    if (page.html.includes('value="allow"'))
      page = await browser.submit(page, { decision: 'allow', scope: tick }, '/consent');
    return page;
  }

  /** An authorization code, by the pages. */
  async code(options: AuthorizeOptions = {}, browser = this.browser(), login = 'alice'): Promise<Code> {
    const code_verifier = randomBytes(32).toString('base64url');
    const page = await this.visit(browser, this.authorizeUrl({ code_verifier, ...options }), { login });
    const code = new URL(page.url).searchParams.get('code');
    if (!code) throw new Error(`no code: ${page.status} ${page.url} ${page.html.slice(0, 600)}`);
    return {
      code,
      code_verifier,
      redirect_uri: options.redirect_uri ?? redirectUri,
      client_id: options.client_id ?? 'web-app',
    };
  }

  redeem({ client_id, ...code }: Code, node = this.issuer): Promise<Answer> {
    return this.post('/oauth/token', { grant_type: 'authorization_code', ...code }, client_id, node);
  }

  /** Tokens of a complete authorization code flow. */
  async tokens(options: AuthorizeOptions = {}, browser = this.browser(), login = 'alice'): Promise<Answer['body']> {
    const { status, body } = await this.redeem(await this.code(options, browser, login));
    if (status !== 200) throw new Error(`no tokens: ${status} ${JSON.stringify(body)}`);
    return body;
  }

  refresh(refresh_token: string, client_id = 'web-app', node = this.issuer): Promise<Answer> {
    return this.post('/oauth/token', { grant_type: 'refresh_token', refresh_token }, client_id, node);
  }

  clientCredentials(
    parameters: Record<string, string> = { resource: api },
    client_id = 'service',
    node = this.issuer,
  ): Promise<Answer> {
    return this.post('/oauth/token', { grant_type: 'client_credentials', ...parameters }, client_id, node);
  }

  async isActive(token: string, client_id = 'web-app', node = this.issuer): Promise<boolean> {
    const { body } = await this.post('/oauth/introspect', { token }, client_id, node);
    return body.active === true;
  }

  /** Whether a client authenticates with this secret. */
  async isLetIn(client_id: string, secret: string, node = this.issuer): Promise<boolean> {
    const response = await fetch(`${node}/oauth/introspect`, {
      method: 'POST',
      headers: { authorization: basic(client_id, secret), 'x-forwarded-host': new URL(this.issuer).host },
      body: new URLSearchParams({ token: 'none' }),
    });
    return response.status === 200;
  }

  async auditEvents(action: string): Promise<Record<string, unknown>[]> {
    const { rows } = await this.database.query(
      `select e.*, p.address, p.user_agent from audit_events e left join audit_personal_details p on p.event_id = e.id
        where action = $1 order by id`,
      [action],
    );
    return rows;
  }
}

/** The database to copy for this installation: one with the standard installation, or one that is only migrated. */
function templateFor(apply: unknown): string | undefined {
  const { LATCHKEY_TEST_STANDARD: standard, LATCHKEY_TEST_MIGRATED: migrated } = process.env;
  return apply === standardInstallation && standard ? standard : migrated;
}

function isProcess(server: RunningServer): server is ServerProcess {
  return 'pid' in server;
}

type StartOptions = LatchkeyOptions & {
  /** Computes options before the start. */
  prepare?: () => Promise<LatchkeyOptions>;
};

/** Starts a Latchkey for the tests of the enclosing block. */
export function startLatchkey({ prepare, ...options }: StartOptions = {}): Latchkey {
  const latchkey = new Latchkey();
  beforeAll(async () => latchkey.start({ ...options, ...(await prepare?.()) }));
  afterAll(() => latchkey.stop());
  return latchkey;
}

export function basic(client_id: string, secret: string): string {
  return `Basic ${Buffer.from(`${encodeURIComponent(client_id)}:${encodeURIComponent(secret)}`).toString('base64')}`;
}

export async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') ?? false;
  return { status: response.status, headers: response.headers, body: isJson && text ? JSON.parse(text) : { text } };
}
