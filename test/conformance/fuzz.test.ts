import fc from 'fast-check';
import { startLatchkey } from '../support/latchkey.ts';
import { withStalls } from '../support/stalls.ts';

const endpoints = [
  '/oauth/token',
  '/oauth/introspect',
  '/oauth/revoke',
  '/oauth/par',
  '/oauth/device_authorization',
  '/device',
  '/device/x',
  '/oauth/authorize/x',
  '/sign-in',
  '/oauth/logout/confirm',
];
const names = [
  'grant_type',
  'code',
  'refresh_token',
  'client_id',
  'client_secret',
  'scope',
  'resource',
  'token',
  'device_code',
  'user_code',
  'redirect_uri',
  'code_verifier',
  'request',
  'client_assertion',
  'login',
  'password',
];
const known = [
  'authorization_code',
  'refresh_token',
  'client_credentials',
  'web-app',
  'service',
  'openid',
  'https://api.example',
  'lk_at_',
  'eyJhbGciOiJub25lIn0.e30.',
  '__proto__',
  'constructor',
];

const text = fc.oneof(
  fc.constantFrom(...known),
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.string({ unit: 'grapheme', maxLength: 80 }),
);
const body = fc.oneof(
  fc
    .array(fc.tuple(fc.oneof(fc.constantFrom(...names), text), text), { maxLength: 12 })
    .map((pairs) =>
      new URLSearchParams(
        pairs.map(([name, value]): [string, string] => [name.toWellFormed(), value.toWellFormed()]),
      ).toString(),
    ),
  fc.string({ unit: 'binary-ascii', maxLength: 400 }),
  fc.uint8Array({ maxLength: 400 }),
);
const headerText = fc.string({ unit: fc.constantFrom(...'abcXYZ012 =,.;:/+-_%"{}'), maxLength: 120 });

describe('arbitrary bytes', () => {
  const latchkey = startLatchkey();

  test('get a refusal from every form endpoint, never 500, and quickly', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...endpoints), body, headerText, async (endpoint, sent, authorization) => {
        const { result, ownMs } = await withStalls(async () => {
          const response = await fetch(`${latchkey.issuer}${endpoint}`, {
            method: 'POST',
            headers: {
              'content-type': 'application/x-www-form-urlencoded',
              authorization: `Basic ${authorization}`,
              cookie: authorization,
            },
            body: sent,
            redirect: 'manual',
          });
          await response.arrayBuffer();
          return response.status;
        });
        expect(result).toBeLessThan(500);
        expect(ownMs).toBeLessThan(10_000);
      }),
      { numRuns: 400 },
    );
  });

  test('get a page from every page address, never 500', async () => {
    const pages = [
      '/oauth/authorize',
      '/oauth/logout',
      '/device',
      '/device/x',
      '/oauth/authorize/x',
      '/device-code',
      '/account',
      '/sign-in',
      '/interaction/x',
      '/account/apps',
      '/setup/x',
    ];
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...pages),
        fc.array(
          fc.tuple(fc.constantFrom(...names, 'return_to', 'q', 'page', 'id_token_hint', 'claims', 'request_uri'), text),
          { maxLength: 8 },
        ),
        async (page, pairs) => {
          const query = new URLSearchParams(
            pairs.map(([name, value]): [string, string] => [name, value.toWellFormed()]),
          );
          const response = await fetch(`${latchkey.issuer}${page}?${query}`, {
            headers: { accept: 'text/html' },
            redirect: 'manual',
          });
          await response.arrayBuffer();
          expect(response.status).toBeLessThan(500);
        },
      ),
      { numRuns: 300 },
    );
  });
});
