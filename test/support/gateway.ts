import { createHash } from 'node:crypto';
import pg from 'pg';
import type { AdminApi } from './admin.ts';
import { basic, type Latchkey } from './latchkey.ts';
import { proofsOf } from './proofs.ts';

export type VerifyAnswer = { valid: boolean; code: string; reason: string } & Record<string, unknown>;
export type Minted = { id: string; key: string; version: number; expires_at: string };

/** A token of a new client, bound to a key (RFC 9449), and a function that makes proofs with the key. */
export async function boundToken(latchkey: Latchkey, owner: AdminApi, resource: string) {
  const { prove } = await proofsOf();
  const { body } = await owner.post('/clients', {
    client_id: 'bound',
    grant_types: ['client_credentials'],
    dpop_bound_access_tokens: true,
    service_permissions: { [resource]: ['read'] },
  });
  const response = await fetch(`${latchkey.issuer}/oauth/token`, {
    method: 'POST',
    headers: {
      authorization: basic('bound', String(body.client_secret)),
      dpop: await prove('POST', `${latchkey.issuer}/oauth/token`),
    },
    body: new URLSearchParams({ grant_type: 'client_credentials', resource }),
  });
  const { access_token: token } = (await response.json()) as { access_token: string };
  return { token, prove, ath: createHash('sha256').update(token).digest('base64url') };
}

/** The gateway for a service that may verify credentials. */
export class Gateway {
  readonly #latchkey: Latchkey;
  readonly #owner: AdminApi;
  #own = '';

  private constructor(latchkey: Latchkey, owner: AdminApi) {
    this.#latchkey = latchkey;
    this.#owner = owner;
  }

  static async open(latchkey: Latchkey, owner: AdminApi): Promise<Gateway> {
    const gateway = new Gateway(latchkey, owner);
    gateway.#own = (await gateway.mint({ permissions: ['latchkey:verify'] })).key;
    return gateway;
  }

  async mint(input: object = {}): Promise<Minted> {
    const body = { name: 'a key', environment: 'dev', permissions: ['database:read:products'], ...input };
    const answer = await this.#owner.post('/api-keys', body);
    if (answer.status !== 201) throw new Error(JSON.stringify(answer.body));
    return answer.body as unknown as Minted;
  }

  /** Verifies a credential, with the gateway's own key or another one. */
  async post(body: unknown, { node = this.#latchkey.issuer, key = this.#own } = {}): Promise<Response> {
    return fetch(`${node}/gateway/verify`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-forwarded-host': new URL(this.#latchkey.issuer).host,
        ...(key && { 'x-api-key': key }),
      },
      body: JSON.stringify(body),
    });
  }

  async verify(request: object, node?: string): Promise<VerifyAnswer> {
    const response = await this.post(request, node === undefined ? {} : { node });
    const body = await response.json();
    if (response.status !== 200) throw new Error(`${response.status} ${JSON.stringify(body)}`);
    return body as VerifyAnswer;
  }

  async verifyAll(requests: object[], node?: string): Promise<VerifyAnswer[]> {
    return (await this.verify({ requests }, node)).results as VerifyAnswer[];
  }

  /** Sends the request of a proxy. */
  forwardAuth(query: string, headers: Record<string, string>, node = this.#latchkey.issuer): Promise<Response> {
    return fetch(`${node}/gateway/forward-auth${query}`, { headers, redirect: 'manual' });
  }
}

/** Runs work that must not read a table: the table is locked meanwhile. */
export async function withoutTable<T>(url: string, table: string, work: () => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, application_name: 'test' });
  await client.connect();
  try {
    await client.query(`begin; lock table ${table} in access exclusive mode`);
    return await work();
  } finally {
    await client.query('rollback');
    await client.end();
  }
}
