import { send, sendForm } from '../support/http.ts';
import { api, clientSecrets } from '../support/installation.ts';
import { basic, startLatchkey } from '../support/latchkey.ts';

const base64 = (text: string, encoding: BufferEncoding = 'utf8') => Buffer.from(text, encoding).toString('base64');
const right = basic('service', clientSecrets.service);

describe('client authentication', () => {
  const latchkey = startLatchkey();
  const ask = (form: Record<string, string> = {}, headers: Record<string, string> = {}, path = '/oauth/token') =>
    sendForm(latchkey.issuer, path, { grant_type: 'client_credentials', resource: api, token: 'x', ...form }, headers);

  test.each([
    { what: 'none', ref: 'RFC 6749 §5.2', form: {} },
    { what: 'an unknown client', ref: 'RFC 6749 §5.2', form: { client_id: 'nobody', client_secret: 'x' } },
    { what: 'a wrong secret', ref: 'RFC 6749 §5.2', form: { client_id: 'post-app', client_secret: 'x' } },
    { what: 'only the client_id', ref: 'CAUTH-04', form: { client_id: 'service' } },
    { what: 'an empty secret', ref: 'CAUTH-04', form: { client_id: 'service', client_secret: '' } },
    {
      what: 'another case of the client_id',
      ref: 'RFC 6749 §2.2',
      form: { client_id: 'POST-APP', client_secret: clientSecrets['post-app'] },
    },
    {
      what: "another client's secret",
      ref: 'RFC 6749 §2.3',
      form: { client_id: 'post-app', client_secret: clientSecrets.service },
    },
    {
      what: 'a secret of a client that has none',
      ref: 'RFC 6749 §2.3',
      form: { client_id: 'spa', client_secret: 'x' },
    },
    { what: 'the name of a prototype', ref: 'CWE-1321', form: { client_id: '__proto__' } },
    { what: 'an address as client_id', ref: 'SSRF-02', form: { client_id: 'http://169.254.169.254/' } },
  ])('fails with $what ($ref)', async ({ form }) => {
    for (const path of ['/oauth/token', '/oauth/introspect', '/oauth/revoke']) {
      const { headers, ...answer } = await ask(form as Record<string, string>, {}, path);
      expect(answer).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
      expect(headers.get('www-authenticate')).toMatch(/^Basic realm="/);
      if (path !== '/oauth/revoke') expect(headers.get('cache-control')).toBe('no-store');
    }
  });

  test.each([
    { what: 'an unknown client', ref: 'RFC 6749 §5.2', authorization: basic('nobody', 'x') },
    { what: 'a wrong secret', ref: 'RFC 6749 §5.2', authorization: basic('service', 'x') },
    { what: 'the stand-in for a secret', ref: 'CWE-798', authorization: basic('service', 'compared as digests') },
    { what: 'a very long client_id', ref: 'CWE-400', authorization: basic('x'.repeat(7000), 'x') },
    { what: 'a very long secret', ref: 'CWE-400', authorization: basic('service', 'x'.repeat(7000)) },
    { what: 'the secret and more', ref: 'CWE-697', authorization: basic('service', `${clientSecrets.service}x`) },
    {
      what: 'the secret in another case',
      ref: 'CWE-178',
      authorization: basic('service', clientSecrets.service.toUpperCase()),
    },
  ])('fails in Basic with $what, and answers with a challenge ($ref)', async ({ authorization }) => {
    const { headers, ...answer } = await ask({}, { authorization });
    expect(answer).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
    expect(headers.get('www-authenticate')).toMatch(/^Basic realm="http.*error="invalid_client"/);
  });

  test.each([
    { what: 'no colon', authorization: `Basic ${base64('service')}` },
    { what: 'no base64', authorization: 'Basic !!!!' },
    { what: 'a broken escape', authorization: `Basic ${base64('service:%zz')}` },
    { what: 'NUL', authorization: `Basic ${base64('serv\u0000ice:x')}` },
    { what: 'an escaped NUL', authorization: `Basic ${base64('serv%00ice:x')}` },
    { what: 'Latin-1', authorization: `Basic ${base64('serv\u00ffice:x', 'latin1')}` },
    { what: 'a lone surrogate', authorization: `Basic ${base64('%ed%a0%80:x')}` },
    { what: 'no secret', authorization: basic('service', '') },
    { what: 'a bearer token', authorization: 'Bearer x' },
    { what: 'an unknown scheme', authorization: 'Secret x' },
  ])('is malformed with $what (RFC 6749 §2.3.1, RFC 7617)', async ({ authorization }) => {
    expect(await ask({}, { authorization })).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
  });

  test.each([
    { what: 'another client_id in the body', ref: 'CAUTH-06', form: { client_id: 'post-app' } },
    {
      what: 'a secret in the body too',
      ref: 'RFC 6749 §2.3',
      form: { client_id: 'service', client_secret: clientSecrets.service },
    },
  ])('is malformed in Basic with $what ($ref)', async ({ form }) => {
    const answer = await ask(form as Record<string, string>, { authorization: right });
    expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
  });

  test('fails with the same answer for an unknown client and a wrong secret (CAUTH-02)', async () => {
    const answers = await Promise.all(
      ['nobody', 'service', 'web-app', 'spa'].map((client_id) => ask({}, { authorization: basic(client_id, 'wrong') })),
    );
    const seen = answers.map(({ status, headers, body }) => [status, body, headers.get('www-authenticate')]);
    expect(new Set(seen.map((each) => JSON.stringify(each))).size).toBe(1);
  });

  test('does not allow a grant type that is not registered: unauthorized_client (RFC 6749 §5.2)', async () => {
    for (const form of [
      { grant_type: 'authorization_code', code: 'x' },
      { grant_type: 'refresh_token', refresh_token: 'x' },
    ]) {
      const answer = await ask(form as Record<string, string>, { authorization: right });
      expect(answer).toMatchObject({ status: 400, body: { error: 'unauthorized_client' } });
    }
    const ownRequest = await ask({ client_id: 'spa' });
    expect(ownRequest).toMatchObject({ status: 400, body: { error: 'unauthorized_client' } });
  });

  test('has error descriptions with only the characters that RFC 6749 §5.2 allows', async () => {
    const bodies = ['%22%5c%c3%a9=%00', 'grant_type=%00', `grant_type=x&${'a=1&'.repeat(1001)}`];
    for (const body of bodies) {
      const answer = await send(latchkey.issuer, '/oauth/token', {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body,
      });
      expect(answer.status).toBe(400);
      expect(answer.body.error_description).toMatch(/^[\u0020-\u0021\u0023-\u005b\u005d-\u007e]+$/);
    }
  });
});
