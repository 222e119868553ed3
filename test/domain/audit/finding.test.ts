import { type EventFilter, listEvents } from '../../../src/domain/audit/index.ts';
import { type Db, openDatabase } from '../../../src/platform/database/index.ts';
import { asOwner, asService } from '../../support/admin.ts';
import { startLatchkey } from '../../support/latchkey.ts';
import { writeEvents } from './support/log.ts';

type Histogram = { from: string; step_seconds: number; items: { success: number; failure: number }[] };

describe('events', () => {
  const latchkey = startLatchkey();
  let db: Db;
  let close: () => Promise<void>;
  beforeAll(async () => {
    ({ db, close } = openDatabase({
      url: latchkey.database.url,
      poolSize: 2,
      preparedStatements: true,
      poolTimeoutMs: 60_000,
    }));
    await latchkey.tokens();
    const browser = latchkey.browser();
    await browser.submit(await browser.get('/sign-in'), { login: 'alice', password: 'wrong' });
    await writeEvents(latchkey.database.url, 25);
  });
  afterAll(() => close());
  const found = async (filter: EventFilter & { limit: number }) =>
    (await listEvents(db, { ...filter, sort: '-occurred_at' })).items;

  test('are found by actor, target, action, outcome, request id, time and text', async () => {
    const [refused] = await found({ action: 'session.refused', limit: 10 });
    expect(refused).toMatchObject({ outcome: 'failure', reason: 'wrong login or password' });
    const request_id = refused?.request_id ?? '';
    expect(await found({ request_id, limit: 10 })).toEqual([refused]);
    expect(await found({ outcome: 'failure', limit: 10 })).toEqual([refused]);
    expect(
      await found({ target: refused?.target_id ?? '', target_kind: 'user', outcome: 'failure', limit: 10 }),
    ).toEqual([refused]);
    const issued = await found({ actor: 'web-app', actor_kind: 'client', limit: 10 });
    expect(issued.map(({ action }) => action)).toEqual(['access_token.issued']);
    expect(await found({ text: 'WRONG login', limit: 10 })).toEqual([refused]);
    expect(await found({ text: '"n":24', limit: 10 })).toHaveLength(1);
    expect(await found({ text: '100%_', limit: 10 })).toEqual([]);
    const to = refused?.occurred_at ?? new Date();
    expect((await found({ to, limit: 100 })).every(({ occurred_at }) => occurred_at < to)).toBe(true);
    expect((await found({ from: to, limit: 100 })).at(-1)).toEqual(refused);
  });

  test('are counted by time and outcome, the newest up to a bound (CWE-400)', async () => {
    const owner = await asOwner(latchkey);
    const histogram = async (query: string) =>
      (await owner.get(`/audit/histogram?${query}`)).body as never as Histogram;
    const sum = ({ items }: Histogram) =>
      items.reduce(
        (all, { success, failure }) => ({ success: all.success + success, failure: all.failure + failure }),
        {
          success: 0,
          failure: 0,
        },
      );
    expect(sum(await histogram('action=client.updated'))).toEqual({ success: 25, failure: 0 });
    const refused = await histogram('action=session.refused');
    expect(refused).toMatchObject({ is_partial: false, step_seconds: 60 });
    expect(sum(refused)).toEqual({ success: 0, failure: 1 });
    expect(sum(await histogram('text=WRONG%20login&outcome=failure'))).toEqual({ success: 0, failure: 1 });
    expect(sum(await histogram('action=client.updated&actor=nobody'))).toEqual({ success: 0, failure: 0 });
    const month = await histogram('from=2026-01-01T00:00:00Z&to=2026-01-31T00:00:00Z');
    expect(month).toMatchObject({ items: [], step_seconds: 86_400, from: '2026-01-01T00:00:00.000Z' });
    const ever = await histogram('action=client.updated&from=0001-01-01T00:00:00Z');
    expect(Date.now() - Date.parse(String(ever.from))).toBeLessThan(1831 * 86_400_000);
    expect(await owner.get('/audit/histogram?from=yesterday')).toMatchObject({ status: 400 });
    const guest = await asService(latchkey, owner, { permissions: ['latchkey:client:read'] });
    expect(await guest.get('/audit/histogram')).toMatchObject({ status: 403 });
  });

  test('are paged, newest first, and new events do not shift the pages', async () => {
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await listEvents(db, { limit: 7, cursor, sort: '-occurred_at', action: 'client.updated' });
      seen.push(...page.items.map(({ target_id }) => target_id ?? ''));
      cursor = page.next ?? undefined;
      if (cursor) await writeEvents(latchkey.database.url, 2);
    } while (cursor);
    expect(seen).toEqual(Array.from({ length: 25 }, (_, n) => `client ${24 - n}`));
  });

  test('are found with the command, too', async () => {
    const page = await latchkey.commandJson(['audit', 'list', '--actor', 'web-app', '--limit', '1']);
    expect(page).toMatchObject({ items: [{ action: 'access_token.issued' }] });
    expect(await latchkey.command(['audit', 'list', '--outcome', 'perhaps'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--outcome must be "success" or "failure"'),
    });
  });
});
