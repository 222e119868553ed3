import { send } from '../../support/http.ts';
import { startLatchkey } from '../../support/latchkey.ts';

describe.each(['/.well-known/openid-configuration', '/.well-known/oauth-authorization-server', '/oauth/jwks'])(
  'the document at %s',
  (path) => {
    const latchkey = startLatchkey();
    const read = (headers: Record<string, string> = {}, method = 'GET') =>
      send(latchkey.issuer, path, { headers, method });
    const lasting = ({ headers }: Awaited<ReturnType<typeof read>>) =>
      [...headers].filter(([name]) => !['x-request-id', 'date'].includes(name));

    test('is the same, headers included, at each read', async () => {
      const first = await read();
      const again = await read();
      expect(again).toMatchObject({ status: 200, body: first.body });
      expect(lasting(again)).toEqual(lasting(first));
      expect(again.headers.get('x-request-id')).not.toBe(first.headers.get('x-request-id'));
    });

    test('is not sent to a client that has it (RFC 9110 §13.1.2)', async () => {
      const { headers } = await read();
      const etag = headers.get('etag') ?? '';
      expect(await read({ 'if-none-match': etag })).toMatchObject({ status: 304, body: { text: '' } });
      expect(await read({ 'if-none-match': '"another"' })).toMatchObject({ status: 200 });
    });

    test('may be read by any page, each with its own origin', async () => {
      await read();
      const { headers } = await read({ origin: 'https://app.example' });
      expect(headers.get('access-control-allow-origin')).toBe('https://app.example');
      expect((await read()).headers.get('access-control-allow-origin')).toBe('*');
    });

    test('has the request id of the request, and answers HEAD without a body', async () => {
      const { body } = await read();
      expect(body).not.toEqual({ text: '' });
      expect((await read({ 'x-request-id': 'a-request-id' })).headers.get('x-request-id')).toBe('a-request-id');
      expect(await read({}, 'HEAD')).toMatchObject({ status: 200, body: { text: '' } });
    });

    test('is refused for another host, also when it is cached', async () => {
      await read();
      expect(await read({ host: 'evil.test' })).toMatchObject({ status: 421 });
    });
  },
);
