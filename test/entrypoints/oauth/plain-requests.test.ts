import { request } from 'node:http';
import { text as readAll } from 'node:stream/consumers';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { api, clientSecrets, jwtApi, redirectUri } from '../../support/installation.ts';
import { startLatchkey } from '../../support/latchkey.ts';

type Parameters = [name: string, value: string][];
type Asked = { path: string; form: Parameters | string; headers?: Record<string, string> };
type Got = { status: number; body: Record<string, unknown>; headers: Record<string, string>; isPlain: boolean };

const formType = 'application/x-www-form-urlencoded';
// The same type in another notation: such a request is not plain.
const formTypeInFull = `${formType}; charset=utf-8`;

/** A generator of numbers below a bound, with the same sequence in each run (mulberry32). */
function numbersFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

/** The members of a token that equal those of another token for the same request. */
function shapeOf(token: unknown): unknown {
  if (typeof token !== 'string') return token;
  if (token.split('.').length !== 3) return { prefix: token.split('_').slice(0, 2), length: token.length };
  const { jti, iat = 0, exp = 0, status, ...claims } = decodeJwt(token);
  return { header: decodeProtectedHeader(token), lasts: exp - iat, named: [typeof jti, typeof status], claims };
}

const shapesOf = ({ access_token, refresh_token, id_token, ...body }: Got['body']) => ({
  ...{ ...body, access_token: shapeOf(access_token), refresh_token: shapeOf(refresh_token) },
  id_token: shapeOf(id_token),
});

describe('a request in its usual form and the same one in an unusual form', () => {
  const latchkey = startLatchkey({ env: { LATCHKEY_TRUST_PROXY: 'on' } });

  const ask = ({ path, form, headers = {} }: Asked, type: string): Promise<Got> => {
    const { hostname, port, host } = new URL(latchkey.issuer);
    const body = typeof form === 'string' ? form : new URLSearchParams(form).toString();
    const length = String(Buffer.byteLength(body));
    const sent = request({
      ...{ hostname, port, path, method: 'POST' },
      headers: { host, 'content-type': type, 'content-length': length, ...headers },
    });
    return new Promise((resolve, reject) => {
      sent.once('error', reject);
      sent.once('response', async (response) => {
        const { 'x-request-id': _, date: __, 'content-length': ___, ...rest } = response.headers;
        resolve({
          status: response.statusCode ?? 0,
          body: JSON.parse((await readAll(response)) || '{}'),
          headers: rest as Record<string, string>,
          // Headers come in the order in which they were set: with Koa, the request id is set first.
          isPlain: response.rawHeaders[0]?.toLowerCase() !== 'x-request-id',
        });
      });
      sent.end(body);
    });
  };
  const comparable = ({ status, body, headers }: Got) => ({ status, headers, body: shapesOf(body) });
  /** Sends both forms, and returns whether the first took the fast path. */
  const bothAlike = async (plain: Asked, full = plain) => {
    const [inUsualForm, inFull] = [await ask(plain, formType), await ask(full, formTypeInFull)];
    expect([plain, comparable(inUsualForm)]).toEqual([plain, comparable(inFull)]);
    expect(inFull.isPlain).toBe(false);
    return inUsualForm;
  };
  const basic = (id: string, secret: string) => ({
    authorization: `Basic ${Buffer.from(`${id}:${encodeURIComponent(secret).replaceAll('%20', '+')}`).toString('base64')}`,
  });

  test('get equal responses, whatever a service sends', async () => {
    const number = numbersFrom(17);
    const pick = <T>(values: readonly T[]): T => values[number(values.length)] as T;
    /** Mostly valid values. */
    const mostly = <T>(right: readonly T[], wrong: readonly T[]): T => pick(number(5) > 0 ? right : wrong);
    const { service } = clientSecrets;
    const right = basic('service', service);
    const counts = { plain: 0, refused: 0 };
    for (let n = 0; n < 250; n += 1) {
      const grant_type = mostly(['client_credentials'], ['password', 'refresh_token', 'client_credentials ', '']);
      const [resource, scope] = pick([
        [api, 'read'],
        [jwtApi, 'report:read'],
      ] as const);
      const form: Parameters = [
        ['grant_type', grant_type],
        ...mostly<Parameters>(
          [[], [['scope', scope]]],
          [
            [['scope', `${scope} nothing`]],
            [['scope', `openid ${scope}`]],
            [['scope', '']],
            [['scope', '"']],
            [['scope', `${scope} `]],
            [['scope', ` ${scope}`]],
            [['scope', ' ']],
          ],
        ),
        ...mostly<Parameters>(
          [[['resource', resource]]],
          [
            [['resource', `${resource}/`]],
            [['resource', 'https://unknown.example']],
            [
              ['resource', api],
              ['resource', jwtApi],
            ],
            [],
          ],
        ),
        ...mostly<Parameters>(
          [[]],
          [[['audience', api]], [['unknown', '1']], [['authorization_details', '[]']], [['scope', scope]]],
        ),
      ];
      const [headers, ofClient] = mostly<[Record<string, string>, Parameters]>(
        [
          [right, []],
          [
            {},
            [
              ['client_id', 'service'],
              ['client_secret', service],
            ],
          ],
          [right, [['client_id', 'service']]],
        ],
        [
          [right, [['client_id', 'spa']]],
          [right, [['client_secret', service]]],
          [basic('service', 'a wrong secret'), []],
          [basic('nobody', service), []],
          [basic('spa', service), []],
          [{ authorization: 'Basic c2VydmljZQ==' }, []],
          [{ authorization: right.authorization.replace(/=*$/, '') }, []],
          [{ authorization: 'Bearer of' }, []],
          [{}, [['client_id', 'spa']]],
          [{}, []],
        ],
      );
      // Wrong secrets are counted by address: each pair has its own.
      const asked = {
        path: '/oauth/token',
        form: [...form, ...ofClient],
        headers: { ...headers, 'x-forwarded-for': `203.0.113.${n % 250}` },
      };
      const { status, isPlain } = await bothAlike(asked);
      if (isPlain) counts.plain += 1;
      if (status !== 200) counts.refused += 1;
    }
    // Otherwise it would have compared too little.
    expect(counts.plain).toBeGreaterThan(60);
    expect(counts.refused).toBeGreaterThan(60);
  });

  test.each(['web-app', 'post-app', 'spa', 'first-party'])('get equal responses for users of %s', async (client_id) => {
    const redirect_uri = client_id === 'spa' ? 'https://spa.example/callback' : redirectUri;
    const scope = client_id === 'web-app' ? 'openid profile email offline_access read' : 'openid read';
    const secret = clientSecrets[client_id === 'first-party' ? 'web-app' : (client_id as 'web-app')];
    const ofClient: Parameters =
      client_id === 'spa'
        ? [['client_id', 'spa']]
        : [
            ['client_id', client_id],
            ['client_secret', secret],
          ];
    const browser = latchkey.browser();
    const forms: Parameters[] = [];
    for (let n = 0; n < 2; n += 1) {
      const { code, code_verifier } = await latchkey.code({ client_id, redirect_uri, scope }, browser);
      forms.push([
        ['grant_type', 'authorization_code'],
        ...Object.entries({ code, code_verifier, redirect_uri }),
        ...ofClient,
      ]);
    }
    const [plain, full] = forms.map((form): Asked => ({ path: '/oauth/token', form }));
    if (!plain || !full) throw new Error('no codes');
    const redeemed = await bothAlike(plain, full);
    expect([redeemed.status, redeemed.isPlain]).toEqual([200, true]);
    await introspectedAlike(String(redeemed.body.access_token), ofClient);
    // Using a code again revokes its family.
    await bothAlike(plain, full);
  });

  test('get equal responses when a token is refreshed, with any parameters', async () => {
    const { refresh_token } = await latchkey.tokens({ scope: 'openid profile email offline_access read write' });
    let [current, isPlain] = [refresh_token, false];
    const ofClient: Parameters = [
      ['client_id', 'web-app'],
      ['client_secret', clientSecrets['web-app']],
    ];
    for (const more of [
      [],
      [['scope', 'openid read']],
      [['resource', api]],
      [['scope', 'read']],
      [['scope', 'openid']],
      [['scope', 'write nothing']],
      [['resource', jwtApi]],
      [['resource', `${api}/`]],
    ] as Parameters[]) {
      const of = (token: string): Asked => ({
        path: '/oauth/token',
        form: [['grant_type', 'refresh_token'], ['refresh_token', token], ...more, ...ofClient],
      });
      const first = await ask(of(current), formType);
      current = String(first.body.refresh_token ?? current);
      const second = await ask(of(current), formTypeInFull);
      current = String(second.body.refresh_token ?? current);
      expect([more, comparable(first)]).toEqual([more, comparable(second)]);
      isPlain ||= first.isPlain;
    }
    expect(isPlain).toBe(true);
    await introspectedAlike(current, ofClient);
    await bothAlike({
      path: '/oauth/token',
      form: [['grant_type', 'refresh_token'], ['refresh_token', refresh_token], ...ofClient],
    });
  });

  test('get equal responses when a token is introspected, by each kind of client', async () => {
    const { body: jwt } = await latchkey.clientCredentials({ resource: jwtApi });
    const { access_token, refresh_token } = await latchkey.tokens();
    const tampered = jwt.access_token.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'));
    for (const token of [
      jwt.access_token,
      tampered,
      access_token,
      refresh_token,
      'unknown',
      '',
      `${access_token}x`,
      'a.b.c',
      'eyJhbGciOiJub25lIn0..x',
      'eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4R0NNIn0..a.b.c',
    ])
      for (const ofClient of [
        [
          ['client_id', 'service'],
          ['client_secret', clientSecrets.service],
        ],
        [
          ['client_id', 'web-app'],
          ['client_secret', clientSecrets['web-app']],
        ],
        [['client_id', 'spa']],
        [
          ['client_id', 'service'],
          ['client_secret', 'wrong'],
        ],
      ] as Parameters[])
        await introspectedAlike(token, ofClient);
  });

  test('use the fast path for a request of `fetch`, too', async () => {
    const form: Parameters = [
      ['grant_type', 'client_credentials'],
      ['resource', api],
    ];
    const asked = { path: '/oauth/token', form, headers: basic('service', clientSecrets.service) };
    expect(await ask(asked, `${formType};charset=UTF-8`)).toMatchObject({ status: 200, isPlain: true });
  });

  test.each([
    ['a form that is not UTF-8', 'grant_type=client_credentials&scope=%ff'],
    ['a control character', 'grant_type=client_credentials&scope=%00'],
    ['a deleting character', 'grant_type=client_credentials&scope=%7f'],
    ['half an escape', 'grant_type=client_credentials&scope=%2'],
    ['a parameter twice', 'grant_type=client_credentials&grant_type=client_credentials'],
    ['a JSON body', '{"grant_type":"client_credentials"}'],
  ])('get equal responses for %s', async (_, form) => {
    const { status } = await bothAlike({
      path: '/oauth/token',
      form,
      headers: basic('service', clientSecrets.service),
    });
    expect(status).toBe(400);
  });

  const introspectedAlike = async (token: string, ofClient: Parameters) => {
    for (const hint of ['', 'access_token', 'refresh_token'])
      await bothAlike({
        path: '/oauth/introspect',
        form: [['token', token], ...((hint ? [['token_type_hint', hint]] : []) as Parameters), ...ofClient],
        headers: { 'x-forwarded-for': '203.0.113.251' },
      });
  };
});
