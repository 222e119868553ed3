/** An image in one of the formats that browsers draw and that contain no script. */
export type RecognisedImage = {
  content_type: 'image/png' | 'image/jpeg' | 'image/webp';
  width: number;
  height: number;
};

const mostPixels = 2048;

/**
 * Detects the image format by its first bytes, never by the file name: PNG, JPEG or WebP of at most 2048 pixels a side; undefined for
 * anything else. SVG is not accepted: it can contain scripts, links and references to other hosts.
 */
export function recogniseImage(bytes: Buffer): RecognisedImage | undefined {
  const image = png(bytes) ?? jpeg(bytes) ?? webp(bytes);
  if (!image || image.width < 1 || image.height < 1) return undefined;
  return Math.max(image.width, image.height) <= mostPixels ? image : undefined;
}

const pngStart = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex');

/** PNG (RFC 2083 §3.1): the signature, then the header chunk. */
function png(bytes: Buffer): RecognisedImage | undefined {
  if (bytes.length < 33 || !bytes.subarray(0, 16).equals(pngStart)) return undefined;
  return { content_type: 'image/png', width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) };
}

// The start-of-frame markers of JPEG (ITU-T T.81 table B.1); C4, C8 and CC have other meanings.
const isFrame = (marker: number) => marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);

/** JPEG: segments, each with its length, until the one with the size. */
function jpeg(bytes: Buffer): RecognisedImage | undefined {
  if (bytes.length < 4 || bytes.readUInt16BE(0) !== 0xffd8) return undefined;
  let at = 2;
  while (at + 9 <= bytes.length && bytes[at] === 0xff) {
    if (isFrame(bytes.readUInt8(at + 1)))
      return { content_type: 'image/jpeg', width: bytes.readUInt16BE(at + 7), height: bytes.readUInt16BE(at + 5) };
    // A segment is at least its own length field long, so the loop always advances.
    at += 2 + Math.max(2, bytes.readUInt16BE(at + 2));
  }
  return undefined;
}

/** WebP (RFC 9649 §2.4–2.7): lossy, lossless or extended. */
function webp(bytes: Buffer): RecognisedImage | undefined {
  const text = (from: number) => bytes.toString('latin1', from, from + 4);
  if (bytes.length < 30 || text(0) !== 'RIFF' || text(8) !== 'WEBP') return undefined;
  const size = sizes.get(text(12))?.(bytes);
  return size && { content_type: 'image/webp', ...size };
}

type Size = { width: number; height: number };

const lossy = (bytes: Buffer): Size => ({
  width: bytes.readUInt16LE(26) & 0x3fff,
  height: bytes.readUInt16LE(28) & 0x3fff,
});

function lossless(bytes: Buffer): Size {
  const bits = bytes.readUInt32LE(21);
  return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
}

const extended = (bytes: Buffer): Size => ({ width: bytes.readUIntLE(24, 3) + 1, height: bytes.readUIntLE(27, 3) + 1 });

const sizes: ReadonlyMap<string, (bytes: Buffer) => Size> = new Map([
  ['VP8 ', lossy],
  ['VP8L', lossless],
  ['VP8X', extended],
]);
