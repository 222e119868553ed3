import { basic, type Latchkey } from './latchkey.ts';

export type AdminAnswer = {
  status: number;
  headers: Headers;
  body: Record<string, unknown> & { items: Record<string, unknown>[] };
};
type Given = { body?: unknown; headers?: Record<string, string>; node?: string };

/** Calls the admin API with one token. */
export class AdminApi {
  readonly #issuer: string;
  readonly #token: string | undefined;
  readonly #narrower: ((scope: string) => Promise<string>) | undefined;

  get token(): string {
    return this.#token ?? '';
  }

  constructor(issuer: string, token: string | undefined, narrower?: (scope: string) => Promise<string>) {
    this.#issuer = issuer;
    this.#token = token;
    this.#narrower = narrower;
  }

  /** The same service with a token that has this scope. */
  async with(scope: string): Promise<AdminApi> {
    if (!this.#narrower) throw new Error('not of a service');
    return new AdminApi(this.#issuer, await this.#narrower(scope));
  }

  async call(
    method: string,
    path: string,
    { body, headers = {}, node = this.#issuer }: Given = {},
  ): Promise<AdminAnswer> {
    const response = await fetch(`${node}/admin/v1${path}`, {
      method,
      headers: {
        'x-forwarded-host': new URL(this.#issuer).host,
        ...(this.#token && { authorization: `Bearer ${this.#token}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = /[/+]json\b/.test(response.headers.get('content-type') ?? '');
    return { status: response.status, headers: response.headers, body: text && isJson ? JSON.parse(text) : {} };
  }

  get = (path: string, given?: Given) => this.call('GET', path, given);
  post = (path: string, body?: unknown, given: Given = {}) => this.call('POST', path, { body, ...given });
  patch = (path: string, body: unknown, given: Given = {}) => this.call('PATCH', path, { body, ...given });
  put = (path: string, body: unknown, given: Given = {}) => this.call('PUT', path, { body, ...given });
  delete = (path: string, given?: Given) => this.call('DELETE', path, given);
}

export type AdminTokenOptions = { client_id: string; client_secret: string; scope?: string };

/** An access token for the admin API, of a service. */
async function adminToken(latchkey: Latchkey, { client_id, client_secret, scope }: AdminTokenOptions): Promise<string> {
  const response = await fetch(`${latchkey.issuer}/oauth/token`, {
    method: 'POST',
    headers: { authorization: basic(client_id, client_secret) },
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      resource: `${latchkey.issuer}/admin`,
      ...(scope && { scope }),
    }),
  });
  const body = (await response.json()) as { access_token?: string };
  if (!body.access_token) throw new Error(`no admin token: ${response.status} ${JSON.stringify(body)}`);
  return body.access_token;
}

/** An access token with all permissions, from the first credential of `latchkey bootstrap`. */
export async function bootstrapped(latchkey: Latchkey): Promise<string> {
  const made = await latchkey.commandJson(
    ['bootstrap', '--client-id', `owner-${crypto.randomUUID().slice(0, 8)}`],
    '',
    {
      LATCHKEY_ISSUER: latchkey.issuer,
    },
  );
  const credentials = { client_id: String(made.client_id), client_secret: String(made.client_secret) };
  return adminToken(latchkey, { ...credentials, scope: 'latchkey:*' });
}

/** The admin API with its first credential. */
export async function asOwner(latchkey: Latchkey): Promise<AdminApi> {
  return new AdminApi(latchkey.issuer, await bootstrapped(latchkey));
}

/** The admin API with the credentials of a new service with these roles and permissions. */
export async function asService(
  latchkey: Latchkey,
  owner: AdminApi,
  { roles = [], permissions = ['latchkey:*'], scope }: { roles?: string[]; permissions?: string[]; scope?: string },
): Promise<AdminApi> {
  const client_id = `service-${crypto.randomUUID().slice(0, 8)}`;
  const { status, body } = await owner.post('/clients', {
    client_id,
    grant_types: ['client_credentials'],
    service_permissions: { [`${latchkey.issuer}/admin`]: permissions },
  });
  if (status !== 201) throw new Error(JSON.stringify(body));
  for (const role of roles) await owner.put(`/roles/${role}/assignments/client/${client_id}`, {});
  const client_secret = String(body.client_secret);
  const credentials = { client_id, client_secret };
  const token = await adminToken(latchkey, { ...credentials, ...(scope && { scope }) });
  return new AdminApi(latchkey.issuer, token, (narrower) => adminToken(latchkey, { ...credentials, scope: narrower }));
}
