import { MemoryStore } from '../../examples/web-app/memory-store.ts';

describe('the store of the example', () => {
  test('returns a stored value, and a taken one only once', () => {
    const store = new MemoryStore<string>(60);
    store.put('key', 'value');
    expect([store.get('key'), store.take('key'), store.take('key'), store.get('key')]).toEqual([
      'value',
      'value',
      undefined,
      undefined,
    ]);
  });

  test('deletes expired values', () => {
    const store = new MemoryStore<string>(0);
    store.put('key', 'value');
    expect(store.get('key')).toBeUndefined();
  });

  test('never grows beyond a thousand, and drops the oldest', () => {
    const store = new MemoryStore<number>(60);
    for (let each = 0; each <= 1000; each += 1) store.put(`key ${each}`, each);
    expect([store.get('key 0'), store.get('key 1'), store.get('key 1000')]).toEqual([undefined, 1, 1000]);
  });
});
