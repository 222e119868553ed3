/** The name of the part for a binary value: it is stored in base64. */
export const binaryPart = 'base64';

/** A part of a value as bytes or a text; any other value as JSON. */
export function contentOf(name: string, value: unknown): Buffer | string {
  if (typeof value !== 'string') return JSON.stringify(value);
  return name === binaryPart ? Buffer.from(value, 'base64') : value;
}
