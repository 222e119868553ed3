import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Restrictions, refusalCodes } from '../../../src/domain/restrictions/index.ts';
import { verdictCodes } from '../../../src/entrypoints/gateway/index.ts';

const text = (file: string) => readFileSync(path.join(import.meta.dirname, '../../..', file), 'utf8');
const firstCells = (source: string) => [...source.matchAll(/^\| `([a-z_]+)` \| /gm)].map(([, found = '']) => found);
const section = (source: string, heading: string) => source.split(`${heading}\n`)[1]?.split(/^#/m)[0] ?? '';

test('docs/gateway.md lists every code, and no other', () => {
  expect(firstCells(section(text('docs/gateway.md'), '### Codes')).toSorted()).toEqual([...verdictCodes].sort());
});

test('docs/api-keys.md lists every kind of restriction, and no other', () => {
  const told = firstCells(section(text('docs/api-keys.md'), '## Restrictions'));
  expect(told.toSorted()).toEqual(Object.keys(Restrictions.shape).sort());
  // In addition to the kinds, restrictions of a newer version have a code.
  const codes = section(text('docs/api-keys.md'), '## Restrictions').matchAll(
    / \| `([a-z_]+)` \|$|answers `([a-z_]+)`/gm,
  );
  expect(new Set([...codes].map(([, code, other]) => code ?? other))).toEqual(new Set(refusalCodes));
});
