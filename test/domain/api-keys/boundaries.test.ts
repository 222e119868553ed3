import fc from 'fast-check';
import { decide } from '../../../src/domain/api-keys/decide.ts';
import { compileKey } from '../../../src/domain/api-keys/entry.ts';
import { environmentOf, generateKey, shownOf } from '../../../src/domain/api-keys/format.ts';
import { type Counter, countedLimit, move } from '../../../src/domain/api-keys/limits/counters.ts';
import { compileRestrictions, formsOf, Restrictions, readForms } from '../../../src/domain/restrictions/index.ts';

const asked = {
  needs: undefined,
  permissions: [],
  resource: undefined,
  ip: undefined,
  origin: undefined,
  cost: 1,
  parameters: {},
};
const at = new Date('2026-11-24T12:00:00.000Z');
const record = {
  id: '00000000-0000-7000-8000-000000000001',
  name: 'a key',
  environment: 'dev',
  owner_id: '00000000-0000-7000-8000-000000000002',
  owner_kind: 'client' as const,
  owner: 'service',
  owner_enabled: true,
  enabled: true,
  expires_at: null,
  revoked_at: null,
  ends_at: null,
  number: 1,
  permissions: [],
  role_rights: [],
  roles: [],
  owner_rights: null,
  owner_rights_until: null,
  restrictions: {},
};

describe('the form of a key', () => {
  test('is the same in every version of Latchkey', () => {
    const key = 'sk_prod_owwcf3XUfNv5oQEIsNdScnOA2GAxv6UKDhy4Eu9T5Bl0dPWOD';
    expect(environmentOf(key)).toBe('prod');
    expect(shownOf(key)).toEqual({ start: 'sk_prod_owwc', last_four: 'PWOD' });
  });

  test('detects any single wrong character', () => {
    const key = generateKey('staging');
    expect(key).toMatch(/^sk_staging_[0-9A-Za-z]{49}$/);
    expect(environmentOf(key)).toBe('staging');
    fc.assert(
      fc.property(fc.nat(key.length - 1), fc.constantFrom(...'0123456789ABCabc_-. '), (place, character) => {
        fc.pre(key[place] !== character);
        expect(environmentOf(`${key.slice(0, place)}${character}${key.slice(place + 1)}`)).toBeUndefined();
      }),
    );
  });

  test('never matches made-up text', () => {
    fc.assert(fc.property(fc.string(), (text) => environmentOf(`sk_dev_${text}`) === undefined));
  });
});

describe('the form of restrictions', () => {
  const kinds = Object.keys(Restrictions.shape);
  const shownOf = (written: object) => {
    const fields = formsOf(Restrictions.parse(written)).flatMap((form) => form.fields);
    return (name: string) => fields.find((field) => field.name === name)?.values ?? [];
  };

  test('has a separate field name for each kind', () => {
    expect(
      formsOf({})
        .map(({ kind }) => kind)
        .toSorted(),
    ).toEqual(kinds.toSorted());
    const names = formsOf({}).flatMap(({ fields }) => fields.map(({ name }) => name));
    expect(names.length).toBeGreaterThanOrEqual(kinds.length);
    expect(new Set(names).size).toBe(names.length);
  });

  test.each([
    { ip_allowlist: ['10.0.0.0/8', '2001:db8::1'] },
    { rate_limit: ['5 requests/minute', { limit: '7 orders/day', for: ['orders:*', 'mail:send'] }] },
    { quota: { month: 9 } },
    { max_cost: 100 },
    { resource_servers: ['https://api.example'] },
    { time_window: { days: ['mon', 'sun'], from: '22:00', to: '06:30', time_zone: 'Europe/Berlin' } },
    { time_window: { from: '00:00', to: '23:59', time_zone: 'UTC' } },
    { allowed_origins: ['https://app.example'] },
    { allowed_templates: ['welcome', 'reset'] },
    { allowed_values: { region: ['eu', 'us'], size: { values: ['a b', 'c:d'], for: ['email:send'] } } },
  ])('parses what it formats: %j', (written) => {
    expect(Restrictions.parse(readForms(shownOf(written)))).toEqual(written);
  });

  test.each([
    [{ allowed_templates: { values: ['welcome'], for: ['email:send'] } }],
    [{ allowed_values: { region: ['eu, us'] } }],
    [{ allowed_values: { region: ['eu for ever'] } }],
  ])('omits what it cannot express: %j', (written) => {
    const shown = formsOf(Restrictions.parse(written)).map(({ kind }) => kind);
    expect(shown.toSorted()).toEqual(kinds.filter((kind) => !(kind in written)).toSorted());
  });
});

describe('a key', () => {
  test.each([
    [-1, 'valid'],
    [0, 'expired'],
    [1, 'expired'],
  ])('%d ms after its expiry, or the end of its overlap, is %s', (ms, code) => {
    const now = new Date(at.getTime() + ms);
    for (const ending of [{ expires_at: at }, { ends_at: at }])
      expect(decide(compileKey({ ...record, ...ending }, at), asked, now).code).toBe(code);
  });

  test('is read again when a role of its owner expires', () => {
    const until = new Date(at.getTime() + 5000);
    const entry = compileKey({ ...record, owner_kind: 'user', owner_rights: [], owner_rights_until: until }, at);
    expect(entry.fresh_until).toEqual(until);
  });
});

describe('a rate limit', () => {
  const rate = (amount: number, per: 'second' | 'minute' | 'hour' | 'day') =>
    countedLimit('id', { kind: 'rate', code: 'rate_limited', name: 'x', amount, per, appliesTo: () => true });

  const passes = (limit: ReturnType<typeof rate>, times: readonly number[]) => {
    const values = new Map<string, number>();
    return times.filter((ms) => {
      const counter: Counter = limit.counter(1, new Date(at.getTime() + ms));
      const { refusing, values: moved } = move([counter], (key) => values.get(key));
      if (refusing === undefined) values.set(counter.key, moved[0] ?? 0);
      return refusing === undefined;
    });
  };

  test('allows exactly the limit at once, and exactly the limit again in each later period', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 3000 }),
        fc.constantFrom('second', 'minute', 'hour', 'day'),
        (amount, per) => {
          const limit = rate(amount, per);
          const ms = { second: 1000, minute: 60_000, hour: 3_600_000, day: 86_400_000 }[per];
          const burst = Array.from({ length: amount + 50 }, () => 0);
          expect(passes(limit, burst)).toHaveLength(amount);
          const later = [...burst, ...burst.map(() => ms)];
          expect(passes(limit, later)).toHaveLength(2 * amount);
        },
      ),
      { numRuns: 50 },
    );
  });

  test('allows at most a burst and the refill in any period', () => {
    const ms = 60_000;
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.array(fc.nat(180_000), { maxLength: 200 }), (amount, given) => {
        const passed = passes(
          rate(amount, 'minute'),
          given.toSorted((a, b) => a - b),
        );
        for (const [n, from] of passed.entries())
          for (const [m, to] of passed.entries())
            if (m >= n) expect(m - n + 1).toBeLessThanOrEqual(amount + ((to - from) * amount) / ms);
      }),
      { numRuns: 50 },
    );
  });

  test('returns the wait time, exact to the second', () => {
    const limit = rate(50, 'hour');
    const full = limit.counter(50, at);
    const value = full.floor + full.increment;
    expect(limit.waitSeconds(value, 1, at)).toBe(72);
    expect(limit.waitSeconds(value, 50, at)).toBe(3600);
    expect(limit.waitSeconds(value, 51, at)).toBeUndefined();
  });
});

describe('a time window', () => {
  const isOpen = (window: object, time: string) => {
    const { checks } = compileRestrictions(Restrictions.parse({ time_window: window }));
    return checks.every((check) => check(asked, new Date(time)) === undefined);
  };
  const office = { days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '08:00', to: '18:00', time_zone: 'Europe/Berlin' };
  const night = { days: ['fri'], from: '22:00', to: '06:00' };

  test.each([
    ['2026-11-24T07:00:00Z', office, true],
    ['2026-11-24T06:59:59Z', office, false],
    ['2026-11-24T16:59:59Z', office, true],
    ['2026-11-24T17:00:00Z', office, false],
    ['2026-07-01T06:00:00Z', office, true],
    ['2026-11-22T10:00:00Z', office, false],
    ['2026-11-27T22:00:00Z', night, true],
    ['2026-11-28T05:59:00Z', night, true],
    ['2026-11-28T06:00:00Z', night, false],
    ['2026-11-28T22:00:00Z', night, false],
    ['2026-11-27T05:00:00Z', night, false],
  ])('at %s, of %j, is open: %s', (time, window, expected) => expect(isOpen(window, time)).toBe(expected));
});

describe('allowed origins', () => {
  const { checks } = compileRestrictions(Restrictions.parse({ allowed_origins: ['https://app.example'] }));
  const codes = (origin: string | undefined) => checks.map((check) => check({ ...asked, origin }, at)?.code);

  test('are compared as whole strings', () => {
    expect(codes('https://app.example')).toEqual([undefined]);
    for (const origin of [undefined, 'null', 'http://app.example', 'https://app.example.evil', 'https://APP.example'])
      expect(codes(origin)).toEqual(['origin_not_allowed']);
  });
});
