import { idAt } from '../../src/platform/crypto/index.ts';

const now = new Date('2026-11-30T12:00:00.123Z');
const timeIn = (id: string) => Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16);

test('an id has the time that it was made for, also after one of a later time', () => {
  idAt(new Date(now.getTime() + 3_600_000));
  expect(timeIn(idAt(now))).toBe(now.getTime());
  expect(idAt(now)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test('ids of one millisecond are different, and in the order in which they were made', () => {
  const ids = Array.from({ length: 5000 }, () => idAt(now));
  expect(ids.toSorted()).toEqual(ids);
  expect(new Set(ids).size).toBe(ids.length);
});
