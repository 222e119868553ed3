import { readFileSync } from 'node:fs';
import { type RecognisedImage, recogniseImage } from './image.ts';

/** An operator's own logo. */
export type Logo = Pick<RecognisedImage, 'content_type'> & { bytes: Buffer };

const maxBytes = 256 * 1024;

/** Reads a logo from a file. @returns it, or a sentence without its subject that says what is wrong and what to do */
export function readLogo(path: string): Logo | { problem: string } {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    const code = typeof error === 'object' && error && 'code' in error ? error.code : 'unreadable';
    return { problem: `must name a file that can be read (${code})` };
  }
  const image = recogniseImage(bytes);
  if (image && bytes.length <= maxBytes) return { content_type: image.content_type, bytes };
  return { problem: 'must be a PNG, JPEG or WebP image of at most 256 KiB and 2048 pixels a side: convert it to PNG' };
}
