import type { Page } from 'playwright-core';
import { type AdminApi, asOwner } from '../support/admin.ts';
import { inspect, still } from './support/inspection.ts';
import { startSite } from './support/site.ts';
import { signIn } from './support/steps.ts';

// A few dozen pages, each checked in five ways.
const patienceMs = 900_000;
const password = 'a long sentence';
const daySeconds = 86_400;

describe('nothing is wrong with the look of a page about secrets', () => {
  const site = startSite();
  const { latchkey, browser } = site;
  let api: AdminApi;
  const at = (rest: string) => `${latchkey.issuer}/console${rest}`;
  const pageOf = (name: string, rest = '') => at(`/secrets/${encodeURIComponent(name)}${rest}`);
  const to = (name: string, rest = '') => `/secrets/${encodeURIComponent(name)}${rest}`;
  const longPath = [
    ...Array.from({ length: 13 }, () => 'a-department-with-a-name-of-its-own'),
    'key-of-the-payments',
  ].join('/');
  const rotated = 'stripe/api-key';

  const write = (name: string, data: Record<string, unknown>, more = {}) =>
    api.post(to(name, '/versions'), { data, ...more });

  beforeAll(async () => {
    for (const [username, role] of [
      ['ada', 'owner'],
      ['bea', 'auditor'],
    ] as const)
      await latchkey.command(['user', 'create', username, '--role', role, '--password-stdin'], password);
    api = await asOwner(latchkey);
    const rights = [
      { resource: `${latchkey.issuer}/v1`, pattern: 'secrets:list:*' },
      { resource: `${latchkey.issuer}/admin`, pattern: 'latchkey:secret:*' },
    ];
    await api.post('/roles', { name: 'lister', permissions: rights });
    await api.put('/roles/lister/assignments/user/bea', {});
    for (const n of [1, 2, 3]) {
      await write(rotated, { value: `the value ${n}` });
      await api.get(to(rotated, '/value'));
      await latchkey.advance(29 * daySeconds);
      api = await asOwner(latchkey);
    }
    await write(rotated, { value: 'the last value' }, { ttl_seconds: 60 * daySeconds });
    await api.get(to(rotated, '/value?version=3'));
    await api.patch(to(rotated), {
      ...{ risk: 'high', environment: 'prod', owner: { user: 'ada' }, description: 'Charges of the shop' },
      custom_metadata: { team: 'payments', note: '<b>bold</b> "quoted"' },
    });
    await latchkey.command(['secret', 'put', 'binary/keytab'], 'text');
    await write(longPath, { value: 'x' });
    await write('odd/value', { escaped: 'ab\u202ec', spaced: '  two  ', list: [1, 2], base64: 'AAECAw==' });
    await write('many/versions', { n: 0 });
    await api.patch(to('many/versions'), { max_versions: 1000 });
    for (let n = 1; n < 60; n += 1) await write('many/versions', { n });
    await write('gone/deleted', { n: 1 });
    await api.post(to('gone/deleted', '/versions/1/delete'));
    await api.patch(to('legacy/payment-gateway'), {
      ...{ location: 'AWS Secrets Manager, eu-central-1, pay/gateway', accessible_to: ['team payments', 'ops'] },
      ...{ risk: 'medium', rotated_at: new Date(latchkey.seconds * 1000 - 100 * daySeconds * 1000).toISOString() },
    });
  }, patienceMs);

  const signedInAs = async (login: string, options = {}) => {
    const page = await browser.open({ ...still, ...options });
    await page.goto(at('/secrets'));
    await signIn(page, login, password);
    await page.waitForURL(at('/secrets'));
    return page;
  };

  const looks = (page: Page, name: string) => inspect(page, `console-secrets-${name}`);

  test(
    'for an owner',
    async () => {
      const page = await signedInAs('ada');
      for (const [address, name] of [
        [at('/secrets?due=true'), 'list-due'],
        [pageOf(rotated), 'overview'],
        [pageOf(rotated, '?tab=access&version=3'), 'access-version'],
        [pageOf(rotated, '?tab=rotation'), 'rotation'],
        [pageOf(rotated, '?tab=settings'), 'settings'],
        [pageOf(rotated, '/versions/3/destroy'), 'destroy-version'],
        [pageOf(rotated, '/versions/2/rollback'), 'rollback'],
        [pageOf(rotated, '/reveal'), 'reveal'],
        [pageOf(longPath), 'long-path'],
        [pageOf('many/versions', '?tab=versions&page=2'), 'many-versions'],
        [pageOf('legacy/payment-gateway'), 'elsewhere'],
        [pageOf('legacy/payment-gateway', '/replaced'), 'replaced'],
        [at('/register-credential'), 'register'],
        [at('/vault/seal'), 'sealing'],
        [at('/vault/rotate'), 'rotating'],
      ] as const) {
        const response = await page.goto(address);
        expect([address, response?.status()]).toEqual([address, 200]);
        expect([name, await looks(page, name)]).toEqual([name, []]);
      }
      await page.goto(pageOf('odd/value', '/reveal'));
      await page.getByLabel('Reason').fill('Ticket 4711: login fails');
      await page.getByRole('button', { name: 'Reveal value' }).click();
      expect(await looks(page, 'revealed')).toEqual([]);
      // Playwright turns off the cache that the back button restores pages from.
      const spaced = page.locator('.pane code').nth(1);
      expect(await spaced.textContent()).toBe('  two  ');
      await page.evaluate("dispatchEvent(new Event('pagehide'))");
      expect(await spaced.textContent()).toBe('');
      await page.goto(at('/find-secret'));
      await page.getByLabel('Value').fill('the value 2');
      await page.getByRole('button', { name: 'Find value' }).click();
      expect(await looks(page, 'found')).toEqual([]);
      await page.goto(at('/register-credential'));
      await page.getByLabel('Path').fill('no such path');
      await page.getByLabel('Where it is kept').fill('A vault');
      await page.getByRole('button', { name: 'Register credential' }).click();
      expect(await looks(page, 'register-refused')).toEqual([]);
    },
    patienceMs,
  );

  test(
    'with the keyboard alone: a value is revealed with a reason',
    async () => {
      const page = await signedInAs('ada');
      await page.goto(pageOf(rotated));
      const press = async (name: string) => {
        for (let presses = 0; presses < 60; presses += 1) {
          await page.keyboard.press('Tab');
          const stop = await page.evaluate<{ name: string; isMarked: boolean } | null>('probe.focusStop()');
          if (stop?.name === name) return expect([name, stop.isMarked]).toEqual([name, true]);
        }
        throw new Error(`Tab does not lead to ${name}`);
      };
      await press('Reveal value');
      await page.keyboard.press('Enter');
      await page.waitForURL(pageOf(rotated, '/reveal'));
      await press('Reason');
      await page.keyboard.type('Ticket 4711: login fails');
      await page.keyboard.press('Enter');
      await page.getByText('the last value').waitFor();
      expect(page.url()).not.toContain('4711');
    },
    patienceMs,
  );

  test(
    'for a user who may only list, and while the secrets are sealed',
    async () => {
      const page = await signedInAs('bea');
      expect(await looks(page, 'lister-list')).toEqual([]);
      await page.goto(pageOf(rotated));
      expect(await looks(page, 'lister-overview')).toEqual([]);
      await api.post('/vault/seal');
      await page.goto(at('/secrets'));
      expect(await looks(page, 'lister-sealed')).toEqual([]);
      const owner = await signedInAs('ada');
      expect(await looks(owner, 'sealed')).toEqual([]);
      await owner.goto(pageOf(rotated, '/change'));
      expect(await looks(owner, 'sealed-change')).toEqual([]);
      await api.post('/vault/unseal', {});
    },
    patienceMs,
  );
});
