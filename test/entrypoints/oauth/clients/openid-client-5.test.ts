import { generators, Issuer } from 'openid-client-5';
import { clientSecrets, redirectUri } from '../../../support/installation.ts';
import { startLatchkey } from '../../../support/latchkey.ts';

describe('an app that uses openid-client 5', () => {
  const latchkey = startLatchkey();
  const webApp = async () => {
    const { Client } = await Issuer.discover(latchkey.issuer);
    const client_secret = clientSecrets['web-app'];
    return new Client({ client_id: 'web-app', client_secret, redirect_uris: [redirectUri], response_types: ['code'] });
  };

  test('signs a user in with its defaults, and gets their name and e-mail (OpenID Connect Registration §2: RS256)', async () => {
    const client = await webApp();
    const [code_verifier, state, nonce] = [generators.codeVerifier(), generators.state(), generators.nonce()];
    const code_challenge = generators.codeChallenge(code_verifier);
    const asked = { scope: 'openid profile email', state, nonce, code_challenge, code_challenge_method: 'S256' };
    const page = await latchkey.visit(latchkey.browser(), client.authorizationUrl(asked));
    const tokens = await client.callback(redirectUri, client.callbackParams(page.url), { code_verifier, state, nonce });
    const known = { name: 'Alice Example', email: 'alice@example.com', preferred_username: 'alice' };
    expect(tokens.claims()).toMatchObject({ iss: latchkey.issuer, aud: 'web-app', nonce, ...known });
    expect(await client.userinfo(tokens)).toMatchObject({ sub: tokens.claims().sub, ...known });
    const next = await client.refresh(tokens);
    expect(next.claims()).toMatchObject({ sub: tokens.claims().sub, ...known });
    expect(await client.introspect(next.access_token ?? '')).toMatchObject({ active: true, client_id: 'web-app' });
    await client.revoke(next.access_token ?? '');
    expect(await client.introspect(next.access_token ?? '')).toMatchObject({ active: false });
  });

  test('distinguishes errors', async () => {
    const client = await webApp();
    const refused = client.refresh('lk_rt_none');
    await expect(refused).rejects.toMatchObject({ error: 'invalid_grant' });
  });
});
