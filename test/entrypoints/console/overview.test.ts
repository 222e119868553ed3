import { insertTroubles } from '../../support/activity-samples.ts';
import { type AdminApi, asOwner } from '../../support/admin.ts';
import { type ConsoleBrowser, consoleAs, linkOn, wordsOf } from '../../support/console.ts';
import { eventually } from '../../support/eventually.ts';
import { startLatchkey } from '../../support/latchkey.ts';
import type { Page } from '../../support/user-agent.ts';

/** The figure of a tile, and the words below it. */
function tileOf(page: Page, label: string): { figure: number; comparison: string } {
  const [, figure = '', comparison = ''] =
    new RegExp(`${label}</(?:a|span)>\\s*<b>([^<]*)</b>\\s*<p>(?:<strong[^>]*>)?([^<]*)`).exec(page.html) ?? [];
  return { figure: Number(figure.replaceAll(',', '') || Number.NaN), comparison };
}

/** The total of a series in the legend of the chart. */
const totalOf = (page: Page, label: string) => Number(new RegExp(`${label} <b>([\\d,]+)</b>`).exec(page.html)?.[1]);

describe('the overview of the console', () => {
  const latchkey = startLatchkey();
  let owner: AdminApi;
  let alice: ConsoleBrowser;
  beforeAll(async () => {
    owner = await asOwner(latchkey);
  });
  beforeEach(async () => {
    alice = await consoleAs(latchkey);
  });

  const makeRole = (name: string, pattern: string) =>
    owner.post('/roles', { name, permissions: [{ pattern, resource: `${latchkey.issuer}/admin` }] });

  test('counts tokens, sign-ins and requests as they happen', async () => {
    await latchkey.stayWithin('day');
    const before = await alice.get();
    for (let n = 0; n < 3; n += 1) await latchkey.clientCredentials();
    await consoleAs(latchkey, 'bob', 'not the password of bob');
    const ofTokens = (page: Page) =>
      tileOf(page, 'Tokens issued today').figure - tileOf(before, 'Tokens issued today').figure;
    // It is counted again a second later, if no earlier transaction of any database of the server is running.
    const look = async () => {
      await latchkey.advance(2);
      return alice.get();
    };
    const after = await eventually(look, (page) => ofTokens(page) >= 3);
    const more = (label: string) => tileOf(after, label).figure - tileOf(before, label).figure;
    expect(ofTokens(after)).toBe(3);
    expect(more('Failed sign-ins')).toBe(1);
    expect(tileOf(after, 'Active sessions')).toMatchObject({ comparison: expect.stringMatching(/^\d+ started since/) });
    expect(totalOf(after, 'Allowed') - totalOf(before, 'Allowed')).toBe(3);
    expect(wordsOf(after)).toContain('Figures update when you reload. Times are UTC.');
  });

  test('shows requests over the range in the URL, also as a table', async () => {
    for (const [range, heading, rows] of [
      ['', 'Requests by result, last 24 hours', 24],
      ['?range=1h', 'Requests by result, last hour', 12],
      ['?range=7d', 'Requests by result, last 7 days', 28],
      ['?range=30d', 'Requests by result, last 30 days', 30],
    ] as const) {
      const page = await alice.get(range);
      expect(wordsOf(page)).toContain(heading);
      expect(page.html.match(/<th scope="row">/g)).toHaveLength(rows);
      expect(page.html).toMatch(/<title id="requests-title">.*<\/title>\s*<desc/);
    }
    expect((await alice.get('?range=unicorn')).status).toBe(200);
  });

  test('has a list of first steps, which each user hides for themselves', async () => {
    const page = await alice.get();
    expect(wordsOf(page)).toMatch(/Get started \d of 5 complete Register an API \(complete\) .*Set up e-mail/);
    const hidden = await alice.agent.submit(page, {}, '/first-steps/hide');
    expect(wordsOf(hidden)).not.toContain('Set up e-mail');
    expect(wordsOf(await alice.get())).not.toContain('Set up e-mail');
    const name = 'another-owner';
    const { password } = await latchkey.commandJson(['user', 'create', name, '--role', 'owner']);
    expect(wordsOf(await (await consoleAs(latchkey, name, String(password))).get())).toContain('Set up e-mail');
    expect(wordsOf(await alice.agent.submit(hidden, {}, '/first-steps/show'))).toContain('Set up e-mail');
    expect((await alice.forge('/first-steps/hide', {}, false)).status).toBe(403);
  });

  test('shows what needs attention, with the page to fix it, to users who may read it', async () => {
    expect(wordsOf(await alice.get())).toContain('Nothing needs attention.');
    await insertTroubles(latchkey.database);
    await alice.act('/rotate-key', { alg: 'ES256', leaked: 'false' });
    const page = await alice.get();
    const words = wordsOf(page);
    expect(words).toMatch(/Webhook “Billing events” is failing 14 deliveries failed since .* status 503/);
    expect(words).toMatch(/Job “mail” is failing 1 failure in 24 hours/);
    expect(words).toMatch(/3 API keys expire within 7 days orders-2 on .*, then 2 others/);
    expect(words).toMatch(/\d client secrets are due for rotation The oldest, of .* its risk allows 30 days/);
    expect(words).toMatch(/A new ES256 key signs from/);
    expect(linkOn(page, 'Review keys')).toBe('/console/api-keys');
    expect(linkOn(page, 'View keys')).toBe('/console/signing-keys');

    await makeRole('figures', 'latchkey:activity:read');
    await owner.put('/roles/figures/assignments/user/bob', {});
    const bob = await consoleAs(latchkey, 'bob');
    const shown = wordsOf(await bob.get());
    expect(shown).toMatch(/Failed sign-ins \d/);
    expect(shown).toContain('Job “mail” is failing');
    for (const hidden of ['Billing events', 'orders-2', 'client secrets', 'ES256']) expect(shown).not.toContain(hidden);
  });

  test('has only links to sections for a user who may not read figures', async () => {
    await makeRole('roles-only', 'latchkey:role:read');
    await latchkey.command(['user', 'create', 'rolf', '--role', 'roles-only', '--password-stdin'], 'a long sentence');
    const rolf = await consoleAs(latchkey, 'rolf', 'a long sentence');
    const page = await rolf.get();
    expect(linkOn(page, 'Roles')).toBe('/console/roles');
    for (const hidden of ['Failed sign-ins', 'Needs attention', 'Get started', 'Requests by result'])
      expect(page.html).not.toContain(hidden);
  });
});
