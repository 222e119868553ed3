import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CryptoKey, exportJWK, type GenerateKeyPairResult, generateKeyPair, type JWK, SignJWT } from 'jose';

export type SignOptions = { header?: Record<string, unknown>; key?: CryptoKey | Uint8Array };

/** An issuer of tokens that is not Latchkey: a cluster, a CI system, an identity provider. */
export class ForeignIssuer {
  readonly issuer: string;
  readonly alg: string;
  readonly typ: string;
  /** The keys that it publishes. */
  keys: JWK[] = [];
  #pair: GenerateKeyPairResult | undefined;
  #kid = '';
  #server: Server | undefined;
  /** Whether it does not respond to requests for its keys. */
  isSilent = false;
  /** The number of requests for its keys. */
  asked = 0;
  /** The version of its keys, which are then fresh for a minute; a request that names it is answered with 304. Undefined: it states none. */
  etag: string | undefined;
  /** The number of answers that its keys have not changed. */
  confirmed = 0;

  private constructor(issuer: string, { alg, typ }: { alg: string; typ: string }) {
    this.issuer = issuer;
    this.alg = alg;
    this.typ = typ;
  }

  /** An issuer whose keys are configured. */
  static async named(issuer: string, { alg = 'RS256', typ = 'JWT' } = {}): Promise<ForeignIssuer> {
    const made = new ForeignIssuer(issuer, { alg, typ });
    await made.rotate('key-1');
    return made;
  }

  /** An issuer on this machine that publishes its keys, found by discovery. */
  static async serving(): Promise<ForeignIssuer> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
    const made = await ForeignIssuer.named(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    made.#server = server;
    server.on('request', (request, response) => {
      response.setHeader('content-type', 'application/json');
      if (request.url === '/keys') made.asked += 1;
      if (made.isSilent) return;
      if (request.url === '/keys' && made.etag !== undefined) {
        response.setHeader('etag', made.etag);
        response.setHeader('cache-control', 'max-age=60');
        if (request.headers['if-none-match'] === made.etag) {
          made.confirmed += 1;
          response.writeHead(304).end();
          return;
        }
      }
      const { issuer } = made;
      const metadata = { issuer, jwks_uri: `${issuer}/keys` };
      response.end(JSON.stringify(request.url === '/keys' ? { keys: made.keys } : metadata));
    });
    return made;
  }

  close(): void {
    this.#server?.closeAllConnections();
    this.#server?.close();
  }

  get publicKey(): CryptoKey {
    return this.#made.publicKey;
  }

  get privateKey(): CryptoKey {
    return this.#made.privateKey;
  }

  get #made(): GenerateKeyPairResult {
    if (!this.#pair) throw new Error('it has no key yet');
    return this.#pair;
  }

  /** Signs with another key from now on, the only one that it publishes. */
  async rotate(kid: string): Promise<void> {
    this.#pair = await generateKeyPair(this.alg, { extractable: true });
    this.#kid = kid;
    this.keys = [{ ...(await exportJWK(this.#pair.publicKey)), kid, alg: this.alg, use: 'sig' }];
  }

  /** A valid token except for these claims and headers; `undefined` leaves one out. */
  sign(claims: Record<string, unknown>, { header = {}, key = this.privateKey }: SignOptions = {}): Promise<string> {
    const iat = Math.floor(Date.now() / 1000);
    const good = { iss: this.issuer, iat, nbf: iat, exp: iat + 600, jti: crypto.randomUUID() };
    const kept = present({ ...good, ...claims });
    const headers = present({ alg: this.alg, kid: this.#kid, typ: this.typ, ...header });
    return new SignJWT(kept).setProtectedHeader(headers as { alg: string }).sign(key);
  }
}

const present = (members: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
