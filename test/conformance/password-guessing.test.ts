import { password } from '../support/installation.ts';
import { startLatchkey } from '../support/latchkey.ts';
import type { Page, UserAgent } from '../support/user-agent.ts';

const wrong = 'not the password';
const perAccount = 10;
const perAddress = 60;

describe('guessing passwords', () => {
  const latchkey = startLatchkey();

  async function attempt(
    login: string,
    given: string,
    { browser = latchkey.browser(), headers = {} }: { browser?: UserAgent; headers?: Record<string, string> } = {},
  ): Promise<Page> {
    return browser.submit(await browser.get('/sign-in'), { login, password: given }, '/sign-in', headers);
  }

  const times = (count: number, run: (n: number) => Promise<Page>) =>
    Promise.all(Array.from({ length: count }, (_, n) => run(n)));

  // Every test starts in a new quarter of an hour.
  beforeEach(() => latchkey.advance(16 * 60));

  test.each([
    ['somebody', 'alice'],
    ['nobody', 'nobody@example.com'],
  ])('is stopped at an account after 10 attempts, whether it is %s’s (LOGIN-03)', async (_, login) => {
    const answers = await times(perAccount + 3, () => attempt(login, wrong));
    expect(answers.map(({ status }) => status).sort()).toEqual([...Array(perAccount).fill(422), 429, 429, 429]);
    const refused = await attempt(login, password);
    expect(refused).toMatchObject({ status: 429, html: expect.stringContaining('Too many attempts') });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(60);
  });

  test('counts one account under its username and its e-mail address', async () => {
    await times(perAccount / 2, () => attempt('alice', wrong));
    await times(perAccount / 2, () => attempt('Alice@Example.com', wrong));
    expect(await attempt('alice', password)).toMatchObject({ status: 429 });
    expect(await attempt('alice@example.com', password)).toMatchObject({ status: 429 });
  });

  test('does not lock a user out of a browser that has signed in before, under either name', async () => {
    const browser = latchkey.browser();
    await attempt('alice', password, { browser });
    await times(perAccount + 1, () => attempt('alice', wrong));
    expect(await attempt('alice', password)).toMatchObject({ status: 429 });
    expect((await attempt('alice', password, { browser })).url).toContain('/account');
    expect((await attempt('alice@example.com', password, { browser })).url).toContain('/account');
  });

  test('has no separate count for a browser that only the attacker has signed in with', async () => {
    const browser = latchkey.browser();
    await attempt('bob', password, { browser });
    const answers = await times(perAccount + 1, () => attempt('alice', wrong, { browser }));
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(1);
  });

  test('is stopped in a known browser too', async () => {
    const browser = latchkey.browser();
    await attempt('alice', password, { browser });
    await times(perAccount, () => attempt('alice', wrong, { browser }));
    expect(await attempt('alice', password, { browser })).toMatchObject({ status: 429 });
  });

  test('is stopped over many accounts from one address, whatever proxies it names (LOGIN-04)', async () => {
    for (let n = 0; n < perAddress; n += 10) await times(10, (k) => attempt(`person-${n + k}`, wrong));
    for (const name of ['X-Forwarded-For', 'X-Real-IP', 'Forwarded', 'True-Client-IP', 'Client-IP']) {
      const headers = { [name]: name === 'Forwarded' ? 'for=6.6.6.6' : '6.6.6.6' };
      expect(await attempt('bob', password, { headers })).toMatchObject({ status: 429 });
    }
  });

  test('does not stop users with correct passwords, however many share an address', async () => {
    for (let n = 0; n < perAddress + 10; n += 10) {
      const answers = await times(10, () => attempt('bob', password));
      expect(answers.map(({ url }) => new URL(url).pathname)).toEqual(answers.map(() => '/account'));
    }
  });
});

describe('a refused sign-in', () => {
  const latchkey = startLatchkey();
  const attempt = async (login: string, given: string) => {
    const browser = latchkey.browser();
    return browser.submit(await browser.get('/sign-in'), { login, password: given }, '/sign-in');
  };

  test('looks the same whether the account exists, by text, status and headers (LOGIN-01)', async () => {
    await latchkey.command(['user', 'disable', 'bob']);
    const logins = ['alice', 'alice@example.com', 'bob', 'nobody', 'nobody@example.com'];
    const answers = await Promise.all(logins.map(async (login) => ({ login, page: await attempt(login, wrong) })));
    const seen = answers.map(({ login, page: { status, html, headers } }) => {
      const names = [...headers.keys()].filter((name) => !['x-request-id', 'date'].includes(name));
      const text = html.replaceAll(login, 'LOGIN').replaceAll(/name="csrf" value="[^"]*"|data-passkey="[^"]*"/g, '');
      return JSON.stringify([status, text, names.sort(), headers.get('cache-control')]);
    });
    expect(new Set(seen).size).toBe(1);
    expect(answers[0]?.page.status).toBe(422);
  });

  test('takes as long for an unknown account as for a known one (LOGIN-02)', async () => {
    const durations = { alice: [] as number[], nobody: [] as number[] };
    for (let round = 0; round < 6; round += 1) {
      for (const login of ['alice', 'nobody'] as const) {
        const began_at = performance.now();
        await attempt(login, wrong);
        durations[login].push(performance.now() - began_at);
      }
    }
    // The fastest of each: what a busy machine adds differs from request to request.
    const ratio = Math.min(...durations.alice) / Math.min(...durations.nobody);
    // Without the hash the response for an unknown user would be many times faster; the bounds allow for a busy machine.
    expect(ratio).toBeGreaterThan(0.5);
    expect(ratio).toBeLessThan(2);
  });

  test.each([
    { what: 'a megabyte', given: 'x'.repeat(1024 * 1024), status: 413, ref: 'LOGIN-06' },
    { what: 'more than 1024 characters', given: 'x'.repeat(1025), status: 422, ref: 'LOGIN-06' },
    { what: 'NUL', given: 'a\u0000b', status: 400, ref: 'CWE-158' },
    { what: 'a lone surrogate', given: '\ud800', status: 400, ref: 'CWE-176' },
    { what: 'nothing', given: '', status: 422, ref: 'ASVS 2.1' },
    { what: 'SQL', given: "' or 1=1 --", status: 422, ref: 'CWE-89' },
  ])('is answered within bounds when the password is $what ($ref)', async ({ given, status }) => {
    expect(await attempt('somebody', given)).toMatchObject({ status });
  });

  test.each([
    "' or 1=1 --",
    'ALICE%',
    'alice\u202e',
    'ali\tce',
    'x'.repeat(5000),
    '<script>alert(1)</script>',
    '"><b>',
  ])('is refused for the username %j, which does not become markup (CWE-79)', async (login) => {
    const page = await attempt(login, password);
    expect(page.status).toBe(422);
    expect(page.html).not.toContain('<script>alert');
    expect(page.html).not.toContain('"><b>');
  });
});
