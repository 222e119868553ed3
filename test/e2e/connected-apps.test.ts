import { calendar, everything } from './support/installation.ts';
import { startSite } from './support/site.ts';
import { connect, countOf, question, signedIn, signIn, textsOf } from './support/steps.ts';

describe('the connected apps', () => {
  const site = startSite();
  const { latchkey } = site;
  const three = ['zebra-drive', 'atlas-reports', 'meeting-notes'];
  const connectThree = async (login: string) => {
    const page = await signedIn(site, { login });
    for (const client_id of three) await connect(page, site, { client_id, scope: 'openid', resource: calendar });
    await page.goto(`${latchkey.issuer}/account/apps`);
    return page;
  };

  test('are sorted by when they were allowed, or by name, which the URL keeps', async () => {
    const page = await connectThree('alice');
    const names = () => textsOf(page.locator('main h2'));
    expect(await names()).toEqual(['Meeting Notes', 'Atlas Reports', 'Zebra Drive']);
    await page.getByRole('link', { name: 'name', exact: true }).click();
    expect(await names()).toEqual(['Atlas Reports', 'Meeting Notes', 'Zebra Drive']);
    await page.reload();
    expect(await names()).toEqual(['Atlas Reports', 'Meeting Notes', 'Zebra Drive']);
  });

  test('are found by a part of their name, and a page without results says what to do', async () => {
    const page = await connectThree('bob');
    const search = async (q: string) => {
      await page.getByRole('searchbox').fill(q);
      await page.getByRole('searchbox').press('Enter');
      await page.waitForLoadState();
    };
    await search('NOTE');
    expect(await textsOf(page.locator('main h2'))).toEqual(['Meeting Notes']);
    expect(await page.locator('main').innerText()).toContain('1 app matching “NOTE”.');
    await search('%');
    expect(await page.locator('main').innerText()).toContain('No app matches “%”.');
    await page.getByRole('link', { name: 'Show all' }).click();
    expect(await countOf(page.locator('main h2'))).toBe(3);
  });

  test('show what each may do and since when, in the time zone of the user', async () => {
    const page = await signedIn(site, { login: 'carol', timezoneId: 'Asia/Tokyo' });
    await connect(page, site, everything);
    await page.goto(`${latchkey.issuer}/account/apps`);
    expect(await page.locator('main').innerText()).toMatch(/Allowed just now · never used · never expires/);
    expect(await page.locator('time').first().getAttribute('title')).toMatch(
      /^\d+ \w+ \d{4} at \d\d:\d\d \(Asia\/Tokyo\)$/,
    );
    await page.getByText('Access', { exact: true }).click();
    expect(await textsOf(page.locator('.allowed'))).toEqual([
      expect.stringMatching(/^Know who you are openid\n/),
      expect.stringMatching(/^Read your messages mail:read:\*\s+Send messages as you mail:send$/),
    ]);
  });

  test('that hold nothing are shown as such before they are revoked', async () => {
    const page = await signedIn(site, { login: 'dave' });
    await connect(page, site, everything);
    await page.goto(`${latchkey.issuer}/oauth/logout`);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.goto(`${latchkey.issuer}/account/apps`);
    await signIn(page, 'dave');
    await page.getByRole('link', { name: 'Revoke access of Inbox Assistant' }).click();
    expect(await question(page)).toMatch(/^Revoke access of\s+Inbox Assistant\?$/);
    expect(await page.locator('main').innerText()).toContain('It is not using your account right now.');
  });

  test('of another user are not shown', async () => {
    const page = await connectThree('erin');
    const address = await page
      .getByRole('link', { name: /^Revoke access/ })
      .first()
      .getAttribute('href');
    const other = await signedIn(site, { login: 'bob' });
    await other.goto(`${latchkey.issuer}${address}`);
    expect(await question(other)).toBe('Page not found');
  });
});

describe('more connected apps than fit on a page', () => {
  const many = Array.from({ length: 21 }, (_, index) => `App ${String(index + 1).padStart(2, '0')}`);
  const site = startSite({ moreApps: many });
  const { latchkey, app } = site;

  test('are paged', async () => {
    const person = latchkey.browser();
    for (const name of many) {
      const asked = { client_id: name.toLowerCase().replace(' ', '-'), redirect_uri: app.redirectUri };
      await latchkey.code({ ...asked, scope: 'openid', resource: null }, person);
    }
    const page = await signedIn(site);
    await page.goto(`${latchkey.issuer}/account/apps?sort=name`);
    expect(await textsOf(page.locator('main h2'))).toEqual(many.slice(0, 20));
    await page.getByRole('link', { name: 'Next' }).click();
    expect(await textsOf(page.locator('main h2'))).toEqual(['App 21']);
    expect(await page.locator('main').innerText()).toContain('Page 2 of 2');
  });
});
