import { insertActivity, insertTroubles } from '../support/activity-samples.ts';
import { inspect, still } from './support/inspection.ts';
import { everything } from './support/installation.ts';
import { startSite } from './support/site.ts';
import { allow, signedIn } from './support/steps.ts';

// A few dozen pages, each checked in five ways.
const patienceMs = 900_000;

describe('nothing is wrong with the look of a page', () => {
  const site = startSite();
  const { latchkey, app } = site;
  const at = (path: string) => `${latchkey.issuer}/console${path}`;

  beforeAll(async () => {
    for (const [username, role] of [
      ['ada', 'owner'],
      ['oskar', 'operator'],
    ])
      await latchkey.command(
        ['user', 'create', String(username), '--role', String(role), '--password-stdin'],
        'a long sentence',
      );
    await latchkey.commandJson(['client', 'add-secret', 'inbox-assistant']);
    for (const value of ['the first value', 'the second value'])
      await latchkey.command(['secret', 'put', 'stripe/api-key'], value);
    await latchkey.command(['secret', 'get', 'stripe/api-key', '--version', '1']);
    const trust = ['trust', 'create', 'Deployments', '--issuer', 'https://token.actions.githubusercontent.com'];
    const conditions = ['--claim', 'repository=acme/shop', '--prefix', 'sub=repo:acme/shop'];
    await latchkey.commandJson([...trust, ...conditions, '--permission', 'https://mail.example=mail:read']);
  });

  const administrator = async () => {
    const page = await signedIn(site, { ...still, login: 'bob' });
    await page.goto(await app.signInUrl(everything));
    await allow(page);
    await app.redeem(page.url());
    await page.context().clearCookies();
    await page.goto(at(''));
    await page.getByLabel('E-mail or username').fill('ada');
    await page.getByLabel('Password').fill('a long sentence');
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    return page;
  };

  test(
    'that lists records for administrators',
    async () => {
      const page = await administrator();
      await insertActivity(latchkey.database);
      await insertTroubles(latchkey.database);
      await page.goto(at('?range=7d'));
      await page.getByText('Show as table').click();
      expect(await inspect(page, 'console')).toEqual([]);
      for (const [path, name] of [
        ['/clients', 'clients'],
        ['/clients?q=unicorn', 'clients-none'],
        ['/clients?type=robot', 'clients-refused'],
        ['/apis', 'apis'],
        ['/trusts', 'trusts'],
        ['/new-trust', 'trust-new'],
        ['/new-identity-provider', 'provider-new'],
        ['/api-keys', 'api-keys'],
        ['/users', 'users'],
        ['/roles', 'roles'],
        ['/credentials', 'credentials'],
        ['/credentials?kind=session', 'credentials-sessions'],
        ['/consents', 'consents'],
        ['/grants', 'grants'],
        ['/secrets', 'secrets'],
        ['/vault', 'vault'],
        ['/signing-keys', 'signing-keys'],
        ['/audit-log', 'audit-log'],
        ['/audit-log?outcome=success&range=24h', 'audit-log-filtered'],
        ['/audit-log/verification', 'audit-log-verification'],
        ['/audit-log/export', 'audit-log-export'],
        ['/access-records', 'access-records'],
        ['/webhooks', 'webhooks'],
        ['/new-webhook', 'webhook-new'],
        ['/settings', 'settings'],
        ['/search?q=inbox', 'search'],
        ['/search?q=unicorn', 'search-none'],
      ] as const) {
        const response = await page.goto(at(path));
        expect([200, 400]).toContain(response?.status());
        expect(await inspect(page, `console-${name}`)).toEqual([]);
      }
    },
    patienceMs,
  );

  test(
    'that shows one record and its actions',
    async () => {
      const page = await administrator();
      for (const [path, name] of [
        ['/clients/inbox-assistant', 'client'],
        ['/clients/inbox-assistant?tab=credentials', 'client-credentials'],
        ['/clients/inbox-assistant?tab=permissions', 'client-permissions'],
        ['/clients/inbox-assistant?tab=activity', 'client-activity'],
        ['/clients/inbox-assistant?tab=settings', 'client-settings'],
        ['/clients/inbox-assistant/disable', 'client-disable'],
        ['/clients/inbox-assistant/secrets/rotate', 'client-rotate'],
        [`/apis/${encodeURIComponent('https://mail.example')}`, 'api'],
        ['/users/oskar', 'user'],
        ['/users/bob?tab=access', 'user-access'],
        ['/users/oskar?tab=settings', 'user-settings'],
        ['/users/oskar/roles/assign', 'role-assign'],
        [
          '/explain-access?kind=user&subject=oskar&resource=https%3A%2F%2Fmail.example&permission=mail%3Aread',
          'explain-access',
        ],
        ['/roles/operator', 'role'],
        ['/new-role', 'role-new'],
        ['/new-client', 'client-new'],
        ['/clients/inbox-assistant/change', 'client-change'],
        ['/new-api', 'api-new'],
        ['/new-user', 'user-new'],
        ['/new-api-key', 'api-key-new'],
        ['/new-secret', 'secret-new'],
        ['/generate-secret', 'secret-generate'],
        ['/find-secret', 'secret-find'],
        ['/secrets/stripe%2Fapi-key', 'secret-detail'],
        ['/secrets/stripe%2Fapi-key/change', 'secret-change'],
        ['/secrets/stripe%2Fapi-key/versions/1/destroy', 'secret-destroy'],
      ] as const) {
        await page.goto(at(path));
        expect(await inspect(page, `console-${name}`)).toEqual([]);
      }
      await page.goto(at('/secrets/stripe%2Fapi-key/reveal'));
      await page.getByLabel('Reason').fill('Ticket 4711: login fails');
      await page.getByRole('button', { name: 'Reveal value' }).click();
      expect(await inspect(page, 'console-secret-revealed')).toEqual([]);
      await page.goto(at('/trusts'));
      await page.getByRole('link', { name: 'Deployments' }).click();
      expect(await inspect(page, 'console-trust')).toEqual([]);
      await page.getByRole('link', { name: 'Explain a token' }).click();
      await page.getByLabel('Token').fill('eyJhbGciOiJub25lIn0.eyJzdWIiOiJyZXBvOmFjbWUvc2hvcC1ldmlsIn0.');
      expect(await inspect(page, 'console-trust-explain')).toEqual([]);
      await page.getByRole('button', { name: 'Explain token' }).click();
      expect(await inspect(page, 'console-trust-explained')).toEqual([]);
      await page.goto(at('/clients/inbox-assistant/secrets/add'));
      await page.getByRole('button', { name: 'Add secret', exact: true }).click();
      expect(await inspect(page, 'console-secret')).toEqual([]);
      await page.goto(at('/new-api-key'));
      await page.getByLabel('Name', { exact: true }).fill('Nightly report');
      await page.getByText('Advanced').click();
      await page.getByLabel('Custom patterns').fill('orders:read at https://mail.example');
      await page.getByLabel('Allowed networks').fill('10.0.1.50\n2001:db8::/32');
      await page.getByRole('combobox', { name: 'Owner' }).fill('nobody');
      await page.getByRole('button', { name: 'Create API key' }).click();
      expect(await inspect(page, 'console-api-key-refused')).toEqual([]);
      await page.getByRole('combobox', { name: 'Owner' }).fill('client:inbox-assistant');
      await page.getByRole('button', { name: 'Create API key' }).click();
      expect(await inspect(page, 'console-api-key-made')).toEqual([]);
      await page.getByRole('link', { name: 'Done' }).click();
      expect(await inspect(page, 'console-api-key')).toEqual([]);
      const key = page.url();
      for (const act of ['rotate', 'change', 'revoke']) {
        await page.goto(`${key}/${act}`);
        expect(await inspect(page, `console-api-key-${act}`)).toEqual([]);
      }
      await page.goto(at('/api-keys'));
      expect(await inspect(page, 'console-api-keys-some')).toEqual([]);
      await page.goto(at('/consents'));
      await page.getByRole('link', { name: 'Inbox Assistant' }).first().click();
      expect(await inspect(page, 'console-consent')).toEqual([]);
      await page.goto(at('/grants'));
      await page.locator('main td a').first().click();
      expect(await inspect(page, 'console-grant')).toEqual([]);
      await latchkey.advance(11 * 60);
      await page.goto(at('/users/bob/disable'));
      await page.getByLabel('Your password').fill('wrong');
      await page.getByRole('button', { name: /^Disable/ }).click();
      expect(await inspect(page, 'console-password-again')).toEqual([]);
    },
    patienceMs,
  );
});
