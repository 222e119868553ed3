import { inflateSync } from 'node:zlib';
import fc from 'fast-check';
import { encodeList } from '../../../src/domain/status-lists/status-list-token.ts';

describe('an encoded list', () => {
  test('equals the example of the draft (draft-ietf-oauth-status-list §4.2)', () => {
    expect(encodeList({ size: 16, refused: [0, 3, 4, 5, 7, 8, 9, 13, 15] })).toBe('eNrbuRgAAhcBXQ');
  });

  test('has a one at every revoked index, and nowhere else', () => {
    const lists = fc
      .integer({ min: 1, max: 5000 })
      .chain((size) =>
        fc.record({ size: fc.constant(size), refused: fc.uniqueArray(fc.integer({ min: 0, max: size - 1 })) }),
      );
    fc.assert(
      fc.property(lists, ({ size, refused }) => {
        const bytes = inflateSync(Buffer.from(encodeList({ size, refused }), 'base64url'));
        const ones = Array.from({ length: bytes.length * 8 }, (_, n) => n).filter(
          (n) => (bytes.readUInt8(n >> 3) >> (n & 7)) & 1,
        );
        expect(bytes.length).toBe(Math.ceil(size / 8));
        expect(ones).toEqual([...refused].sort((a, b) => a - b));
      }),
    );
  });
});
