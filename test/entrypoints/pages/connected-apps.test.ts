import { wordsOf } from '../../support/console.ts';
import { password, redirectUri } from '../../support/installation.ts';
import { startLatchkey } from '../../support/latchkey.ts';
import type { Page } from '../../support/user-agent.ts';

const apps = ({ html }: Page) =>
  [...html.matchAll(/<h2>([^<]*)<\/h2>\s*<p class="when">([\s\S]*?)<\/p>/g)].map(
    ([, name, when = '']) => `${name}: ${when.replaceAll(/<[^>]*>/g, '')}`,
  );

describe('the connected apps', () => {
  const latchkey = startLatchkey();

  test('are beside pages that promise no e-mail where there is no mail server', async () => {
    const browser = latchkey.browser();
    await browser.submit(await browser.get('/sign-in'), { login: 'alice', password }, '/sign-in');
    expect(wordsOf(await browser.get('/account/security'))).toContain('You can sign in with these methods. Passkeys');
    await latchkey.advance(601);
    const { html, ...page } = await browser.get('/account/email');
    expect(wordsOf({ html, ...page })).toContain(
      'This server cannot send e-mail. Ask an administrator to change your address. Back',
    );
    expect(html).not.toMatch(/name="email"|name="password_again"/);
  });
  const hours = (count: number) => latchkey.advance(count * 3600);

  test('show when each last got a token, and are sorted by that', async () => {
    const browser = latchkey.browser();
    const shop = await latchkey.tokens({ scope: 'openid offline_access read', prompt: 'consent' }, browser);
    const native = { client_id: 'native', redirect_uri: 'http://127.0.0.1/callback', scope: 'openid' };
    await hours(2);
    await latchkey.tokens(native, browser);
    await latchkey.code({ client_id: 'post-app', redirect_uri: redirectUri, scope: 'openid', resource: null }, browser);
    await hours(3);
    const shown = async (sort: string) => apps(await browser.get(`/account/apps?sort=${sort}`));
    expect(await shown('last_used_at')).toEqual([
      'Terminal: Allowed 3 hours ago · last used 3 hours ago · never expires',
      'Shop: Allowed 5 hours ago · last used 5 hours ago · never expires',
      'Newsletter: Allowed 3 hours ago · never used · never expires',
    ]);
    await latchkey.refresh(shop.refresh_token);
    await hours(1);
    expect((await shown('last_used_at'))[0]).toBe('Shop: Allowed 6 hours ago · last used 1 hour ago · never expires');
    await hours(72);
    expect((await shown('name'))[0]).toBe('Newsletter: Allowed 3 days ago · not used recently · never expires');
  });
});
