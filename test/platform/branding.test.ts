import fc from 'fast-check';
import { accentOf, recogniseImage } from '../../src/platform/branding/index.ts';

const png = (width: number, height: number) => {
  const bytes = Buffer.alloc(33);
  Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex').copy(bytes);
  bytes.writeUInt32BE(width, 16);
  bytes.writeUInt32BE(height, 20);
  return bytes;
};
const jpeg = Buffer.from('ffd8ffe000104a46494600010100000100010000ffc00011080040002003', 'hex');
const webp = (chunk: string, rest: string) =>
  Buffer.concat([Buffer.from('RIFF\0\0\0\0WEBP'), Buffer.from(chunk), Buffer.alloc(4), Buffer.from(rest, 'hex')]);

describe('an image', () => {
  test.each([
    ['PNG', png(64, 32), 'image/png', 64, 32],
    ['JPEG', jpeg, 'image/jpeg', 32, 64],
    ['lossy WebP', webp('VP8 ', '0000009d012a400020000000'), 'image/webp', 64, 32],
    ['lossless WebP', webp('VP8L', '2f3fc0070000000000000000'), 'image/webp', 64, 32],
    ['extended WebP', webp('VP8X', '000000003f00001f0000'), 'image/webp', 64, 32],
  ])('in %s is recognized, with its size', (_, bytes, content_type, width, height) => {
    expect(recogniseImage(bytes)).toEqual({ content_type, width, height });
  });

  test.each([
    ['SVG', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>')],
    ['HTML', Buffer.from('<!doctype html><script>alert(1)</script>')],
    ['GIF', Buffer.from('GIF89a\x01\0\x01\0')],
    ['nothing', Buffer.alloc(0)],
    ['a PNG of more pixels than a browser should draw', png(100_000, 100_000)],
    ['a PNG without pixels', png(0, 10)],
    ['a PNG cut off', png(64, 32).subarray(0, 20)],
    ['a JPEG without a frame', Buffer.from('ffd8ffe00002ffe00002ffe00002', 'hex')],
    ['a JPEG whose segments do not move on', Buffer.from(`ffd8${'ffe00000'.repeat(1000)}`, 'hex')],
  ])('is not recognized in %s', (_, bytes) => expect(recogniseImage(bytes)).toBeUndefined());

  test('is detected in arbitrary bytes without an error', () => {
    const starts = [png(1, 1), jpeg, webp('VP8 ', ''), webp('VP8L', ''), webp('VP8X', ''), Buffer.alloc(0)];
    fc.assert(
      fc.property(fc.constantFrom(...starts), fc.uint8Array({ maxLength: 64 }), fc.nat(40), (start, rest, length) => {
        recogniseImage(Buffer.concat([start.subarray(0, length), rest]));
      }),
    );
  });
});

describe('an accent colour', () => {
  const share = (value: number) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  const luminance = (hex: string) =>
    [0.2126, 0.7152, 0.0722].reduce(
      (sum, weight, n) => sum + weight * share(Number.parseInt(hex.slice(1 + 2 * n, 3 + 2 * n), 16) / 255),
      0,
    );
  const contrast = (one: string, other: string) => {
    const [darker = 0, lighter = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (lighter + 0.05) / (darker + 0.05);
  };
  const colour = fc.integer({ min: 0, max: 0xffffff }).map((value) => `#${value.toString(16).padStart(6, '0')}`);

  test('that is accepted can be read in both colour schemes, and text on it, too (WCAG 2.2 §1.4.3)', () => {
    fc.assert(
      fc.property(colour, (hex) => {
        const accent = accentOf(hex);
        if ('problem' in accent) return;
        for (const [text, background] of [
          [accent.light, '#ffffff'],
          [accent.light, '#f4f5f7'],
          [accent.on_light, accent.light],
          [accent.dark, '#171d25'],
          [accent.on_dark, accent.dark],
        ] as const)
          expect(contrast(text, background)).toBeGreaterThanOrEqual(4.5);
      }),
    );
  });

  test('that is refused comes with a suggestion that is accepted', () => {
    fc.assert(
      fc.property(colour, (hex) => {
        const accent = accentOf(hex);
        if (!('problem' in accent)) return;
        const [suggested = ''] = /#[0-9a-f]{6}$/.exec(accent.problem) ?? [];
        expect(accentOf(suggested)).toMatchObject({ light: suggested });
      }),
    );
    expect(accentOf('#ffcc00')).toMatchObject({ problem: expect.stringContaining('contrast with the pages is 1.') });
  });
});
