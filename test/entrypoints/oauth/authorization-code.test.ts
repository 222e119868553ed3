import { redirectUri } from '../../support/installation.ts';
import { startLatchkey } from '../../support/latchkey.ts';

describe('the authorization code flow', () => {
  const latchkey = startLatchkey();

  test('issues an access, a refresh and an ID token to a client whose user signed in and consented', async () => {
    const tokens = await latchkey.tokens();
    expect(tokens).toMatchObject({
      access_token: expect.stringMatching(/^lk_at_[0-9A-Za-z]{49}$/),
      refresh_token: expect.stringMatching(/^lk_rt_[0-9A-Za-z]{71}$/),
      token_type: 'Bearer',
      expires_in: 600,
      scope: 'openid profile read',
    });
    expect(await latchkey.isActive(tokens.access_token)).toBe(true);
  });

  test('returns the code and the issuer (RFC 9207 §2)', async () => {
    const page = await latchkey.visit(latchkey.browser(), latchkey.authorizeUrl());
    const answer = new URL(page.url);
    expect(`${answer.origin}${answer.pathname}`).toBe(redirectUri);
    expect(Object.fromEntries(answer.searchParams)).toEqual({
      code: expect.stringMatching(/^lk_ac_[0-9A-Za-z]{49}$/),
      state: 'the state',
      iss: latchkey.issuer,
    });
  });

  test('redeems a code once when 30 requests do it at once, and revokes its tokens when it is used again (RFC 6749 §4.1.2)', async () => {
    const code = await latchkey.code();
    const answers = await Promise.all(Array.from({ length: 30 }, () => latchkey.redeem(code)));
    const [winner, ...others] = answers.filter(({ status }) => status === 200);
    expect(others).toEqual([]);
    expect(answers.filter(({ body }) => body.error === 'invalid_grant')).toHaveLength(29);
    expect(await latchkey.isActive(winner?.body.access_token ?? '')).toBe(false);
    expect(await latchkey.refresh(winner?.body.refresh_token ?? '')).toMatchObject({
      status: 400,
      body: { error: 'invalid_grant' },
    });
  });
});
