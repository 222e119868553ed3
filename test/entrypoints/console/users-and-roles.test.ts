import {
  type ConsoleBrowser,
  consoleAs,
  consoleOfNew,
  linkOn,
  sectionsOn,
  stateOn,
  wordsOf,
} from '../../support/console.ts';
import { password } from '../../support/installation.ts';
import { startLatchkey } from '../../support/latchkey.ts';

const latchkey = startLatchkey();

describe('users in the console', () => {
  let alice: ConsoleBrowser;
  beforeAll(async () => {
    alice = await consoleAs(latchkey);
  });

  test('are searched by name and filtered by role', async () => {
    expect(wordsOf(await alice.get('/users?q=example'))).toMatch(/Alice Example .* Bob Example/);
    const owners = wordsOf(await alice.get('/users?role=owner'));
    expect(owners).toContain('Alice Example');
    expect(owners).not.toContain('Bob Example');
    expect(wordsOf(await alice.get('/users?enabled=false'))).toContain('No results');
  });

  test('get a role until a time, which is shown, and lose it', async () => {
    const given = await alice.act('/users/bob/roles/assign', { role: 'auditor', until: '2040-05-06T07:08' });
    expect(wordsOf(given)).toContain('The role is assigned.');
    expect(given.html).toContain('2040-05-06T07:08:00.000Z');
    const bob = await consoleAs(latchkey, 'bob');
    expect(sectionsOn(await bob.get())).toContain('Audit log');
    const page = await alice.get('/users/bob/roles/auditor/remove');
    expect(wordsOf(page)).toMatch(/Remove the role auditor from bob\?.*latchkey:\*:read at every API/);
    expect(wordsOf(await alice.send(page))).toContain('The assignment is removed.');
    expect(await bob.get()).toMatchObject({ status: 403 });
  });

  test('do not get a role until a past or invalid time', async () => {
    for (const until of ['2001-01-01T00:00', 'tomorrow']) {
      const page = await alice.act('/users/bob/roles/assign', { role: 'operator', until });
      expect(page.status).toBe(400);
      expect(page.html).toMatch(/id="until"[^>]*aria-invalid="true"/);
      expect(page.html).toContain(`value="${until}"`);
      expect(page.html).toMatch(/value="operator" selected/);
    }
  });

  test('always include an owner', async () => {
    const page = await alice.act('/users/alice/roles/owner/remove');
    expect(page.status).toBe(409);
    expect(wordsOf(page)).toContain('This is the last owner');
    expect((await alice.act('/users/alice/disable')).status).toBe(409);
  });

  test('get a new password, shown once, which signs them out everywhere', async () => {
    await latchkey.commandJson(['user', 'create', 'carla', '--password-stdin'], password);
    const carla = await consoleAs(latchkey, 'carla');
    expect((await carla.agent.get('/account')).url).toMatch(/\/account$/);
    const page = await alice.get('/users/carla/password');
    expect(wordsOf(page)).toContain('Set password, revoke 1 credential');
    const made = await alice.send(page);
    const secret = /[a-z2-9]{6}(?:-[a-z2-9]{6}){3}/.exec(made.html)?.[0] ?? '';
    expect((await carla.agent.get('/account')).url).toContain('/sign-in');
    const again = await consoleAs(latchkey, 'carla', secret);
    expect((await again.agent.get('/account')).url).toMatch(/\/account$/);
  });

  test('are signed out of one browser', async () => {
    await latchkey.commandJson(['user', 'create', 'emil', '--password-stdin'], password);
    const emil = await consoleAs(latchkey, 'emil');
    const page = await alice.get('/users/emil');
    const address = linkOn(page, 'Revoke this session')?.replace('/console', '') ?? '';
    expect(wordsOf(await alice.act(address))).toContain('The session is revoked. emil Active');
    expect((await emil.agent.get('/account')).url).toContain('/sign-in');
  });

  test('have sessions in one list, which are revoked there', async () => {
    await latchkey.commandJson(['user', 'create', 'fritz', '--password-stdin'], password);
    const fritz = await consoleAs(latchkey, 'fritz');
    expect(wordsOf(await alice.get('/sessions'))).toMatch(/fritz 127\.0\.0\.1/);
    const list = await alice.get('/sessions?user=fritz');
    expect(wordsOf(list)).not.toContain('alice');
    const address = linkOn(list, 'Revoke')?.replace('/console', '') ?? '';
    await alice.act(address);
    expect((await fritz.agent.get('/account')).url).toContain('/sign-in');
    for (const user of ['fritz', 'nobody'])
      expect(wordsOf(await alice.get(`/sessions?user=${user}`))).toContain('No results');
  });

  test('get a link to choose a password themselves', async () => {
    await latchkey.commandJson(['user', 'create', 'dora', '--password-stdin'], password);
    const made = await alice.act('/users/dora/password-link');
    const link = /\/password\/[\w-]+/.exec(made.html)?.[0] ?? '';
    const chosen = 'four unrelated short words';
    const dora = latchkey.browser();
    await dora.submit(await dora.get(link), { password: chosen, password_repeated: chosen }, '/password');
    const again = await consoleAs(latchkey, 'dora', chosen);
    expect((await again.agent.get('/account')).url).toMatch(/\/account$/);
  });

  test('are changed only if no one else changed them in the meantime', async () => {
    const [one, other] = [await alice.get('/users/bob/change'), await alice.get('/users/bob/change')];
    expect(wordsOf(await alice.send(one, { name: 'Bob First', email: 'bob@example.com' }))).toContain('Bob First');
    const late = await alice.send(other, { name: 'Bob Second', email: 'second@example.com' });
    expect(late.status).toBe(412);
    expect(late.html).toContain('value="Bob Second"');
    expect(wordsOf(late)).toMatch(/Current values Name Bob First/);
    const saved = await alice.send(late, { name: 'Bob Second', email: 'second@example.com' });
    expect(wordsOf(saved)).toMatch(/Saved.*second@example\.com/);
  });

  test('are disabled and enabled again', async () => {
    const { access_token } = await latchkey.tokens({}, latchkey.browser(), 'bob');
    const page = await alice.get('/users/bob/disable');
    expect(wordsOf(page)).toMatch(/This revokes: \d sessions? .* access token/);
    expect(stateOn(await alice.send(page))).toBe('Disabled');
    expect(await latchkey.isActive(access_token)).toBe(false);
    expect(stateOn(await alice.act('/users/bob/enable'))).toBe('Active');
    expect(await latchkey.isActive(access_token)).toBe(false);
  });

  test('lose everything they hold, and can sign in again', async () => {
    const { access_token } = await latchkey.tokens({}, latchkey.browser(), 'bob');
    expect(wordsOf(await alice.act('/users/bob/revoke'))).toContain('Revoked.');
    expect(await latchkey.isActive(access_token)).toBe(false);
    await latchkey.tokens({}, latchkey.browser(), 'bob');
  });
});

describe('roles in the console', () => {
  let alice: ConsoleBrowser;
  beforeAll(async () => {
    alice = await consoleAs(latchkey);
  });
  const permissions = 'latchkey:client:read\r\norder:read:* at https://api.example';

  test('are created, show their permissions and assignments, and are deleted', async () => {
    const made = await alice.act('/new-role', { name: 'support', description: 'Looks at clients', permissions });
    expect(wordsOf(made)).toMatch(/latchkey:client:read Every API order:read:\* https:\/\/api\.example/);
    await alice.act('/users/bob/roles/assign', { role: 'support' });
    const bob = await consoleAs(latchkey, 'bob');
    expect(sectionsOn(await bob.get())).toEqual(['Clients']);
    expect(wordsOf(await bob.get('/users'))).toContain('This needs "latchkey:user:read"');
    expect(linkOn(await alice.get('/roles/support'), 'bob')).toBe('/console/users/bob');
    const page = await alice.get('/roles/support/delete');
    expect(wordsOf(page)).toContain('Delete role, remove 1 assignment');
    expect(wordsOf(await alice.send(page))).toContain('The role is deleted.');
    expect(await bob.get()).toMatchObject({ status: 403 });
  });

  test('are changed only if no one else changed them in the meantime, and the input is kept', async () => {
    await alice.act('/new-role', { name: 'shared', permissions });
    const [one, other] = [await alice.get('/roles/shared/change'), await alice.get('/roles/shared/change')];
    await alice.send(one, { description: 'first', permissions: 'latchkey:user:read' });
    const late = await alice.send(other, { description: 'second', permissions: 'latchkey:grant:read' });
    expect(late.status).toBe(412);
    expect(late.html).toMatch(/value="second"[\s\S]*latchkey:grant:read<\/textarea>/);
    expect(wordsOf(late)).toMatch(/Description first Permissions latchkey:user:read/);
  });

  test('that are invalid show an error beside the field', async () => {
    const wrong = await alice.act('/new-role', { name: 'Wrong Name', permissions: 'read the mail' });
    expect(wrong.status).toBe(400);
    expect(wrong.html).toMatch(/id="permissions-error"[\s\S]*read the mail/);
    const named = await alice.act('/new-role', { name: 'Wrong Name', permissions: 'mail:read' });
    expect(named.html).toMatch(/id="name-error"/);
    expect(named.html).toContain('value="Wrong Name"');
    expect((await alice.act('/new-role', { name: 'owner', permissions: '' })).status).toBe(409);
  });

  test('that are built in cannot be changed', async () => {
    const page = await alice.get('/roles/operator');
    expect(wordsOf(page)).toContain('operator Built in');
    for (const label of ['Edit', 'Delete']) expect(linkOn(page, label)).toBeUndefined();
    expect((await alice.act('/roles/operator/change', { permissions: '' })).status).toBe(409);
  });

  test('grant no permission that their creator lacks', async () => {
    const administrator = await consoleOfNew(latchkey, 'administrator');
    const page = await administrator.act('/new-role', { name: 'mine', permissions: 'secrets:read' });
    expect(page.status).toBe(403);
    expect(wordsOf(page)).toContain('You cannot grant or change a permission that you do not hold yourself');
    expect(page.html).toContain('secrets:read</textarea>');
  });
});
