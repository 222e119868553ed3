import { randomBytes } from 'node:crypto';
import { HeldStatement } from '../support/held-statement.ts';
import { password, redirectUri } from '../support/installation.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { startLatchkey } from '../support/latchkey.ts';
import type { Page, UserAgent } from '../support/user-agent.ts';

describe('revoking a consent', () => {
  const latchkey = startLatchkey();

  async function revokeAccess(browser: UserAgent): Promise<Page> {
    const apps = await browser.get('/account/apps');
    const [, href = ''] = /href="([^"]*revoke-access)"/.exec(apps.html) ?? [];
    return browser.submit(await browser.get(href), {}, 'revoke-access');
  }

  test('while another session gets a token under it leaves that session nothing', async () => {
    const [here, elsewhere] = [latchkey.browser(), latchkey.browser()];
    await latchkey.tokens({}, here);
    await elsewhere.submit(await elsewhere.get('/sign-in'), { login: 'alice', password });
    const code_verifier = randomBytes(32).toString('base64url');

    const held = await HeldStatement.hold(latchkey.database.url, 'insert', 'grants');
    const authorized = elsewhere.get(latchkey.authorizeUrl({ code_verifier }));
    await held.reached();
    const revocation = revokeAccess(here);
    await Promise.race([revocation, held.waiters(1)]);
    await held.release();
    expect((await revocation).url).toMatch(/revoked=1/);

    const code = new URL((await authorized).url).searchParams.get('code');
    if (code) {
      const redemption = { code, code_verifier, redirect_uri: redirectUri, client_id: 'web-app' };
      expect(await latchkey.redeem(redemption)).toMatchObject({ status: 400 });
    }
    expect(await brokenInvariants(latchkey.database)).toEqual({});
  });
});
