import fc from 'fast-check';
import {
  allows,
  contains,
  covers,
  entitled,
  intersection,
  isPermissionPattern,
} from '../../../src/domain/access/index.ts';

// Few names, so that random patterns often overlap; `witness` needs `z`, which is not among them.
const name = fc.constantFrom('a', 'b', 'read', 'latchkey', 'secrets');
const segment = fc.oneof(name, fc.constant('*'));
const opaque = fc.constantFrom('https://api.example/read', 'a b', 'a:', 'ä', 'https://api.example/*', 'a:*b');
const join = (segments: string[]) => segments.join(':');
const concrete = fc.array(name, { minLength: 1, maxLength: 8 }).map(join);
const grammatical = fc.array(segment, { minLength: 1, maxLength: 8 }).map(join);
const pattern = fc.oneof({ weight: 6, arbitrary: grammatical }, { weight: 1, arbitrary: opaque });
const patterns = fc.array(pattern, { maxLength: 5 });
const permission = fc.oneof({ weight: 6, arbitrary: concrete }, { weight: 1, arbitrary: opaque });

/** The grammar as a regular expression. */
function reference(text: string): RegExp {
  const one = '[A-Za-z0-9_.-]+';
  const segments = text.split(':').map((part, index, all) => {
    if (part !== '*') return part.replaceAll('.', '\\.');
    const rest = index === all.length - 1 ? `(?::${one})*` : '';
    return `${index === 0 ? '(?!(?:latchkey|secrets)(?::|$))' : ''}${one}${rest}`;
  });
  return new RegExp(`^${segments.join(':')}$`);
}

/** The shortest permission that a pattern matches. */
const witness = (text: string) => (isPermissionPattern(text) ? text.replaceAll('*', 'z') : text);

describe('the permission grammar', () => {
  const segments = (count: number) => Array(count).fill('a').join(':');

  test.each([
    'openid',
    '*',
    'database:read:products',
    'database:*:products',
    '*:read',
    'A_z-0.9',
    'a'.repeat(64),
    segments(8),
    `${'a'.repeat(64)}:${'b'.repeat(64)}:${'c'.repeat(64)}:${'d'.repeat(61)}`,
    `secrets:${segments(15)}`,
    `secrets:${Array(7).fill('a'.repeat(64)).join(':')}:${'b'.repeat(49)}`,
  ])('has %j', (text) => expect(isPermissionPattern(text)).toBe(true));

  test.each([
    '',
    'a:',
    ':a',
    'a::b',
    'a*',
    '**',
    'a:*b',
    'a b',
    'a\n',
    'a\u0000',
    'ä',
    'https://api.example/read',
    'a'.repeat(65),
    segments(9),
    `${'a'.repeat(64)}:${'b'.repeat(64)}:${'c'.repeat(64)}:${'d'.repeat(62)}`,
    `secrets:${segments(16)}`,
    `secrets:${Array(7).fill('a'.repeat(64)).join(':')}:${'b'.repeat(50)}`,
  ])('does not have %j', (text) => expect(isPermissionPattern(text)).toBe(false));
});

describe('a held pattern', () => {
  test.each([
    ['itself', 'database:read:products', 'database:read:products'],
    ['itself, of one segment', 'openid', 'openid'],
    ['one segment by a trailing *', 'database:read:*', 'database:read:products'],
    ['several segments by a trailing *', 'database:*', 'database:read:products:42'],
    ['one segment by a middle *', 'database:*:products', 'database:read:products'],
    ['one segment by a leading *', '*:read', 'orders:read'],
    ['everything by a lone *', '*', 'database:read:products'],
    ['a lone segment by a lone *', '*', 'openid'],
    ['up to eight segments by a trailing *', 'a:*', 'a:b:c:d:e:f:g:h'],
    ['what is reserved only in front, further back', 'a:*', 'a:latchkey:secrets'],
    ['the reserved names when they are named', 'latchkey:*', 'latchkey:grant:revoke'],
    ['a name that only begins like a reserved one', '*', 'latchkeys:read'],
    ['a text outside of the grammar exactly', 'https://api.example/read', 'https://api.example/read'],
  ])('allows %s', (_, held, asked) => expect(allows([held], asked)).toBe(true));

  test.each([
    ['another permission', 'database:read:products', 'database:read:orders'],
    ['another action', 'database:read:products', 'database:write:products'],
    ['a longer name with the same beginning', 'database:read:*', 'database:readwrite:x'],
    ['its own parent by a trailing *', 'database:read:*', 'database:read'],
    ['its children without a *', 'database:read', 'database:read:products'],
    ['two segments by a middle *', 'database:*:products', 'database:read:all:products'],
    ['no segment by a middle *', 'database:*:products', 'database:products'],
    ['another case', 'database:read', 'Database:read'],
    ['latchkey by a lone *', '*', 'latchkey'],
    ['anything of latchkey by a lone *', '*', 'latchkey:grant:revoke'],
    ['anything of secrets by a lone *', '*', 'secrets:read:payments'],
    ['latchkey by a leading *', '*:read', 'latchkey:read'],
    ['secrets by a leading * with more behind it', '*:*', 'secrets:read:payments'],
    ['more than eight segments by a trailing *', 'a:*', 'a:b:c:d:e:f:g:h:i'],
    ['a text outside of the grammar by a lone *', '*', 'https://api.example/read'],
    ['anything by a * in a text outside of the grammar', 'https://api.example/*', 'https://api.example/read'],
    ['anything by a * within a segment', 'database:re*', 'database:read'],
    ['a permission that is no concrete one', 'database:*', 'database:*'],
    ['the pattern of everything', '*', '*'],
  ])('does not allow %s', (_, held, asked) => expect(allows([held], asked)).toBe(false));

  test('allows exactly what the grammar defines', () => {
    fc.assert(
      fc.property(grammatical, concrete, (held, asked) => {
        expect(allows([held], asked)).toBe(reference(held).test(asked));
      }),
      { numRuns: 2000 },
    );
  });

  test('allows nothing of latchkey or secrets unless it begins with that name', () => {
    fc.assert(
      fc.property(
        patterns,
        fc.constantFrom('latchkey', 'secrets'),
        fc.array(name, { maxLength: 7 }),
        (held, first, rest) => {
          const unnamed = held.filter((text) => text.split(':')[0] !== first);
          expect(allows(unnamed, join([first, ...rest]))).toBe(false);
          expect(contains(unnamed, [join([first, ...rest])])).toBe(false);
          expect(contains(unnamed, [`${first}:*`])).toBe(false);
        },
      ),
    );
  });

  test('together with others allows what any of them allows, and nothing more', () => {
    fc.assert(
      fc.property(patterns, permission, (held, asked) => {
        expect(allows(held, asked)).toBe(held.some((text) => allows([text], asked)));
      }),
    );
  });
});

describe('containment', () => {
  test.each([
    ['a narrower permission', ['database:read:*'], ['database:read:products']],
    ['a narrower pattern', ['database:*'], ['database:read:*']],
    ['every ordinary pattern in a lone *', ['*'], ['database:*', '*:read', 'openid', '*']],
    ['a middle * in a trailing one', ['a:*'], ['a:*:c']],
    ['patterns that different ones cover', ['a:*', 'b:read'], ['b:read', 'a:x:y']],
    ['no pattern at all in nothing', [], []],
    ['a text outside of the grammar in itself', ['https://api.example/*'], ['https://api.example/*']],
  ])('holds for %s', (_, outer, inner) => expect(contains(outer, inner)).toBe(true));

  test.each([
    ['a wider pattern', ['database:read:*'], ['database:*']],
    ['two or more segments in what may be one', ['*:*'], ['*']],
    ['a trailing * in a middle one', ['a:*:c'], ['a:*']],
    ['a * in concrete permissions, however many', ['a:x', 'a:y', 'a:z'], ['a:*']],
    ['latchkey in a lone *', ['*'], ['latchkey:*']],
    ['a named secret in a leading *', ['*:read'], ['secrets:read']],
    ['a list of which one pattern is not covered', ['a:*'], ['a:b', 'b:c']],
    ['a text outside of the grammar in a lone *', ['*'], ['https://api.example/read']],
    ['anything in nothing', [], ['openid']],
  ])('does not hold for %s', (_, outer, inner) => expect(contains(outer, inner)).toBe(false));

  test('means that whatever the contained patterns allow, the containing ones allow', () => {
    fc.assert(
      fc.property(patterns, patterns, permission, (outer, inner, asked) => {
        fc.pre(contains(outer, inner) && allows(inner, asked));
        expect(allows(outer, asked)).toBe(true);
      }),
      { numRuns: 300, maxSkipsPerRun: 10_000 },
    );
  });

  test('is refused only where a permission is missing', () => {
    fc.assert(
      fc.property(patterns, pattern, (outer, inner) => {
        expect(contains(outer, [inner])).toBe(allows(outer, witness(inner)));
      }),
      { numRuns: 2000 },
    );
  });

  test('of a concrete permission is the same as being allowed it', () => {
    fc.assert(
      fc.property(patterns, permission, (held, asked) => {
        expect(contains(held, [asked])).toBe(allows(held, asked));
      }),
    );
  });

  test('is reflexive and transitive', () => {
    fc.assert(
      fc.property(pattern, pattern, pattern, (a, b, c) => {
        expect(covers(a, a)).toBe(true);
        if (covers(a, b) && covers(b, c)) expect(covers(a, c)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('an entitlement', () => {
  const orders = 'https://orders.example';
  const entitlements = [
    { resource: orders, pattern: 'orders:*' },
    { resource: null, pattern: 'status:read' },
  ];

  test.each([
    ['a scope of its resource server', orders, 'orders:read'],
    ['a wildcard scope that is no wider', orders, 'orders:read:*'],
    ['a scope equal to its pattern', orders, 'orders:*'],
    ['its scope at any resource server when it names none', 'https://other.example', 'status:read'],
  ])('permits %s', (_, resource, scope) => expect(entitled(entitlements, resource, scope)).toBe(true));

  test.each([
    ['its scope at another resource server', 'https://other.example', 'orders:read'],
    ['its scope at nearly the same resource server', `${orders}/`, 'orders:read'],
    ['a wildcard scope that is wider', orders, '*'],
    ['a scope without an entitlement', orders, 'payments:read'],
  ])('does not permit %s', (_, resource, scope) => expect(entitled(entitlements, resource, scope)).toBe(false));

  test('for all actions on all resources excludes Latchkey itself', () => {
    const everything = [{ resource: null, pattern: '*' }];
    expect(entitled(everything, orders, 'latchkey:grant:revoke')).toBe(false);
    expect(entitled(everything, orders, 'latchkey:*')).toBe(false);
  });
});

describe('hostile input', () => {
  const million = 1_000_000;
  /** Processor time of this process, which other load on the machine hardly changes. */
  const cpuMs = (work: () => void): number => {
    const before = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  };

  test.each([
    ['segments', 'a:'.repeat(million)],
    ['stars', '*:'.repeat(million)],
    ['letters', 'a'.repeat(million)],
  ])('of a million %s is checked within a second, a hundred times over', (_, text) => {
    const ms = cpuMs(() => {
      for (let round = 0; round < 100; round += 1) {
        expect(isPermissionPattern(text)).toBe(false);
        expect(allows(['*'], text)).toBe(false);
        expect(contains([text], ['*'])).toBe(false);
      }
    });
    expect(ms).toBeLessThan(1000);
  });

  test('of a thousand patterns that are slow to compare, held and requested, is checked within five seconds', () => {
    const held = Array.from({ length: 1000 }, (_, index) => `*:*:*:*:*:*:*:x${index}`);
    const ms = cpuMs(() => {
      expect(contains(held, [...held].reverse())).toBe(true);
      expect(allows(held, 'a:a:a:a:a:a:a:a')).toBe(false);
    });
    expect(ms).toBeLessThan(5000);
  });
});

describe('the intersection of two sets of patterns', () => {
  test('allows exactly what both allow', () => {
    fc.assert(
      fc.property(patterns, patterns, permission, (one, other, asked) => {
        expect(allows(intersection(one, other), asked)).toBe(allows(one, asked) && allows(other, asked));
      }),
      { numRuns: 2000 },
    );
  });

  test('is contained in both', () => {
    fc.assert(
      fc.property(patterns, patterns, (one, other) => {
        const both = intersection(one, other);
        expect(contains(one, both) && contains(other, both)).toBe(true);
      }),
    );
  });

  test.each([
    [['database:*'], ['database:read:*'], ['database:read:*']],
    [['*:read'], ['database:*'], ['database:read']],
    [['*'], ['latchkey:*'], []],
    [['latchkey:client:*'], ['latchkey:*:read'], ['latchkey:client:read']],
    [['a'], ['a:*'], []],
    [['openid'], ['openid', 'a:b'], ['openid']],
  ])('of %j and %j is %j', (one, other, expected) => expect(intersection(one, other)).toEqual(expected));
});
