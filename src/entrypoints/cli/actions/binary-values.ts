/** The name of the part that a value has which is no text: it is kept in base64. */
export const binaryPart = 'base64';

/** A part of a value as bytes or a text; what is neither as JSON. */
export function contentOf(name: string, value: unknown): Buffer | string {
  if (typeof value !== 'string') return JSON.stringify(value);
  return name === binaryPart ? Buffer.from(value, 'base64') : value;
}
