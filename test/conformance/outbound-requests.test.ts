import { type AddressInfo, createServer, type Server } from 'node:net';
import { assertionType, keyedClient } from '../support/client-assertion.ts';
import { sendForm } from '../support/http.ts';
import { api, standardInstallation } from '../support/installation.ts';
import { Latchkey } from '../support/latchkey.ts';
import { withStalls } from '../support/stalls.ts';

// Each refers to this machine or network, in different spellings.
const addresses = [
  { name: 'loopback', url: 'https://127.0.0.1:PORT/jwks', ref: 'SSRF-04' },
  { name: 'localhost', url: 'https://localhost:PORT/jwks', ref: 'SSRF-02' },
  { name: 'loopback-6', url: 'https://[::1]:PORT/jwks', ref: 'SSRF-02' },
  { name: 'mapped', url: 'https://[::ffff:127.0.0.1]:PORT/jwks', ref: 'CVE-2021-22931' },
  { name: 'decimal', url: 'https://2130706433:PORT/jwks', ref: 'SSRF-02' },
  { name: 'hexadecimal', url: 'https://0x7f000001:PORT/jwks', ref: 'SSRF-02' },
  { name: 'octal', url: 'https://0177.0.0.1:PORT/jwks', ref: 'SSRF-02' },
  { name: 'short', url: 'https://127.1:PORT/jwks', ref: 'SSRF-02' },
  { name: 'zero', url: 'https://0.0.0.0:PORT/jwks', ref: 'SSRF-02' },
  { name: 'zero-6', url: 'https://[::]:PORT/jwks', ref: 'SSRF-02' },
  { name: 'with-user', url: 'https://user:password@127.0.0.1:PORT/jwks', ref: 'SSRF-02' },
  { name: 'metadata', url: 'https://169.254.169.254/latest/meta-data/', ref: 'SSRF-02' },
  { name: 'private', url: 'https://10.0.0.1/jwks', ref: 'SSRF-02' },
  { name: 'translated', url: 'https://[64:ff9b::7f00:1]/jwks', ref: 'RFC 6052' },
  { name: 'no-such-name', url: 'https://does-not-exist.invalid/jwks', ref: 'RFC 6761 §6.4' },
];

describe('the jwks_uri of a client', () => {
  const latchkey = new Latchkey();
  let trap: Server;
  let caught = 0;
  let assertions: Map<string, Awaited<ReturnType<typeof keyedClient>>['assertion']>;

  beforeAll(async () => {
    trap = createServer((socket) => {
      caught += 1;
      socket.destroy();
    });
    await new Promise<void>((resolve) => trap.listen(0, () => resolve()));
    const { port } = trap.address() as AddressInfo;
    const keyed = await Promise.all(addresses.map(({ name }) => keyedClient(name)));
    assertions = new Map(addresses.map(({ name }, n) => [name, keyed[n]?.assertion ?? (() => Promise.reject())]));
    const clients = keyed.map(({ client: { jwks: _, ...client } }, n) => ({
      ...client,
      jwks_uri: addresses[n]?.url.replace('PORT', String(port)),
    }));
    const apply = { ...standardInstallation, clients: [...standardInstallation.clients, ...clients] };
    // In development clients run on the same machine, and their keys are fetched from there.
    await latchkey.start({ apply, env: { NODE_ENV: 'test' } });
  });
  afterAll(async () => {
    await latchkey.stop();
    trap.close();
  });

  // Like the URL of a client's document: for other spellings not even a DNS lookup is made.
  test.each(addresses)('is no client_id when it is $url ($ref)', async ({ url }) => {
    const { port } = trap.address() as AddressInfo;
    const query = new URLSearchParams({
      client_id: url.replace('PORT', String(port)),
      ...{ response_type: 'code', redirect_uri: 'https://client.example/callback', resource: api, scope: 'read' },
      ...{ code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', code_challenge_method: 'S256' },
    });
    const response = await fetch(`${latchkey.issuer}/oauth/authorize?${query}`, { redirect: 'manual' });
    expect(response.status).toBe(400);
    expect(await response.text()).not.toMatch(/connect|ENOTFOUND|ECONN|public address/);
    expect(caught).toBe(0);
  });

  test.each(addresses)('gets no connection when it is $url ($ref)', async ({ name }) => {
    const client_assertion = (await assertions.get(name)?.(latchkey.issuer)) ?? '';
    const form = { grant_type: 'client_credentials', resource: api, client_assertion_type: assertionType };
    const sent = () => sendForm(latchkey.issuer, '/oauth/token', { ...form, client_assertion });
    const { result: answer, ownMs } = await withStalls(sent);
    expect(answer).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
    expect(JSON.stringify(answer.body)).not.toMatch(/address|connect|ENOTFOUND|ECONN|127\.0/);
    expect(caught).toBe(0);
    expect(ownMs).toBeLessThan(5000);
  });
});
