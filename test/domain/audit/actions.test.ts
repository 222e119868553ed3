import { readFileSync } from 'node:fs';
import path from 'node:path';
import { auditActions } from '../../../src/domain/audit/index.ts';
import { judgeStatement, wholeShape } from '../../../src/entrypoints/oauth/token-endpoint/commit.ts';

const text = (file: string) => readFileSync(path.join(import.meta.dirname, '../../..', file), 'utf8');
const matches = (pattern: RegExp, source: string) => [...source.matchAll(pattern)].map(([, found = '']) => found);

describe('docs/audit-events.md', () => {
  test('lists every action, and no other', () => {
    const told = matches(/^\| `([a-z_]+\.[a-z_.]+)` \| /gm, text('docs/audit-events.md'));
    expect(told.toSorted()).toEqual([...auditActions].sort());
  });

  test('lists those that the token transaction records in SQL', () => {
    const made = matches(/then '([a-z_]+\.[a-z_]+)'/g, judgeStatement(wholeShape));
    expect(made).toContain('refresh_token.reuse');
    expect(auditActions).toEqual(expect.arrayContaining(made));
  });
});
