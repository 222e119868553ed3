import { createHash, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as readAll } from 'node:stream/consumers';
import { exportJWK, type GenerateKeyPairResult, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';

/** Deviations of a malicious identity provider; without any it is honest. */
export type Lies = {
  claims?: Record<string, unknown>;
  /** The wrong signature of the ID token. */
  signature?: 'none' | 'hs256' | 'of another key' | 'garbled';
  /** Parameters of the response to the browser; `undefined` leaves one out. */
  answer?: Record<string, string | undefined>;
  /** The response of the token endpoint, instead of tokens. */
  token?: { status: number; body: string; type?: string };
  userinfo?: Record<string, unknown>;
  metadata?: Record<string, unknown>;
  /** The endpoint that never responds. */
  silent?: 'token' | 'discovery' | 'keys';
  /** The response that is too large. */
  huge?: 'token' | 'discovery' | 'keys';
  gitHub?: { user?: unknown; emails?: unknown };
};

type Pending = { nonce: string | null; code_challenge: string; redirect_uri: string; client_id: string };

export const upstreamClient = { client_id: 'latchkey-here', client_secret: 'the secret of latchkey at the provider' };

/** An identity provider on this machine that misbehaves on request. It also answers like GitHub. */
export class UpstreamProvider {
  readonly issuer: string;
  readonly #server: Server;
  readonly #codes = new Map<string, Pending>();
  #pair: GenerateKeyPairResult | undefined;
  #kid = '';
  lies: Lies = {};
  /** The claims of its signed-in user. */
  account: Record<string, unknown> = {};
  /** The parameters of its last request. */
  asked = new URLSearchParams();

  private constructor(server: Server) {
    this.#server = server;
    this.issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async serving(): Promise<UpstreamProvider> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
    const made = new UpstreamProvider(server);
    await made.rotate();
    server.on('request', (request, response) => void made.#answer(request, response));
    return made;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  /** Signs with another key from now on. */
  async rotate(): Promise<void> {
    this.#pair = await generateKeyPair('RS256', { extractable: true });
    this.#kid = randomBytes(6).toString('hex');
  }

  /** The address that it redirects a browser to. */
  authorize(address: string): string {
    this.asked = new URL(address).searchParams;
    const get = (name: string) => this.asked.get(name) ?? '';
    const code = randomBytes(16).toString('hex');
    const [redirect_uri, client_id] = [get('redirect_uri'), get('client_id')];
    this.#codes.set(code, {
      nonce: this.asked.get('nonce'),
      code_challenge: get('code_challenge'),
      redirect_uri,
      client_id,
    });
    const answered = { code, state: get('state'), iss: this.issuer, ...this.lies.answer };
    const given = Object.entries(answered).filter((entry): entry is [string, string] => entry[1] !== undefined);
    return `${redirect_uri}?${new URLSearchParams(given)}`;
  }

  /** Signs an ID token or a logout token. */
  async sign(claims: Record<string, unknown>, typ = 'JWT'): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    const all = { iss: this.issuer, aud: upstreamClient.client_id, iat: now, exp: now + 300, ...claims };
    const kept = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
    const header = { alg: 'RS256', kid: this.#kid, typ };
    const { signature } = this.lies;
    if (signature === 'none') return new UnsecuredJWT(kept).encode();
    if (signature === 'hs256')
      return new SignJWT(kept)
        .setProtectedHeader({ ...header, alg: 'HS256' })
        .sign(new TextEncoder().encode(upstreamClient.client_secret));
    const key = signature === 'of another key' ? (await generateKeyPair('RS256')).privateKey : this.#made.privateKey;
    const signed = await new SignJWT(kept).setProtectedHeader(header).sign(key);
    return signature === 'garbled' ? `${signed.slice(0, -20)}${'A'.repeat(20)}` : signed;
  }

  get #made(): GenerateKeyPairResult {
    if (!this.#pair) throw new Error('it has no key yet');
    return this.#pair;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? '', this.issuer).pathname;
    const endpoint = { '/token': 'token', '/login/oauth/access_token': 'token', '/keys': 'keys' }[path] ?? 'discovery';
    if (this.lies.silent === endpoint) return;
    if (path === '/authorize') {
      response.writeHead(303, { location: this.authorize(`${this.issuer}${request.url}`) }).end();
      return;
    }
    response.setHeader('content-type', 'application/json');
    if (this.lies.huge === endpoint) {
      response.end(JSON.stringify({ padding: 'x'.repeat(4 * 1024 * 1024) }));
      return;
    }
    const found = await this.#found(path, request);
    response.statusCode = found.status;
    if (found.type) response.setHeader('content-type', found.type);
    response.end(found.body);
  }

  async #found(path: string, request: IncomingMessage): Promise<{ status: number; body: string; type?: string }> {
    const json = (body: unknown, status = 200) => ({ status, body: JSON.stringify(body) });
    const { issuer } = this;
    if (path === '/keys')
      return json({ keys: [{ ...(await exportJWK(this.#made.publicKey)), kid: this.#kid, alg: 'RS256', use: 'sig' }] });
    if (path === '/token' || path === '/login/oauth/access_token') return this.#tokens(request);
    if (path === '/userinfo') return json({ ...this.account, ...this.lies.userinfo });
    if (path === '/api/v3/user') return json(this.lies.gitHub?.user ?? {});
    if (path === '/api/v3/user/emails') return json(this.lies.gitHub?.emails ?? []);
    const endpoints = Object.entries({ authorization: 'authorize', token: 'token', userinfo: 'userinfo' });
    return json({
      ...{ issuer, jwks_uri: `${issuer}/keys`, response_types_supported: ['code'] },
      ...Object.fromEntries(endpoints.map(([name, at]) => [`${name}_endpoint`, `${issuer}/${at}`])),
      authorization_response_iss_parameter_supported: true,
      id_token_signing_alg_values_supported: ['RS256', 'HS256', 'none'],
      ...this.lies.metadata,
    });
  }

  async #tokens(request: IncomingMessage): Promise<{ status: number; body: string; type?: string }> {
    if (this.lies.token) return this.lies.token;
    const sent = new URLSearchParams(await readAll(request));
    const pending = this.#codes.get(sent.get('code') ?? '');
    this.#codes.delete(sent.get('code') ?? '');
    const challenge = createHash('sha256')
      .update(sent.get('code_verifier') ?? '')
      .digest('base64url');
    const isHonest = pending?.code_challenge === challenge && pending.redirect_uri === sent.get('redirect_uri');
    if (!isHonest || !isAuthenticated(request, sent))
      return { status: 400, body: JSON.stringify({ error: 'invalid_grant' }) };
    const claims = { nonce: pending.nonce, ...this.account, ...this.lies.claims };
    const id_token = pending.nonce === null ? {} : { id_token: await this.sign(claims) };
    return {
      status: 200,
      body: JSON.stringify({ access_token: 'an access token', token_type: 'Bearer', ...id_token }),
    };
  }
}

function isAuthenticated({ headers: { authorization = '' } }: IncomingMessage, sent: URLSearchParams): boolean {
  const { client_id, client_secret } = upstreamClient;
  // RFC 6749 §2.3.1: both are form-encoded.
  const basic = Buffer.from(authorization.replace('Basic ', ''), 'base64').toString();
  const [id, secret] = [...new URLSearchParams(basic.replace(':', '&')).keys()];
  return (id === client_id && secret === client_secret) || sent.get('client_secret') === client_secret;
}
