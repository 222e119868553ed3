/** Whether a value is what JSON calls an object: neither null nor an array (RFC 8259 §4). */
export function isJsonObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
