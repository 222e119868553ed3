const shape = /^(?:\*|[A-Za-z0-9_.-]{1,64})(?::(?:\*|[A-Za-z0-9_.-]{1,64})){0,7}$/;
const shapeOfSecrets = /^secrets(?::(?:\*|[A-Za-z0-9_.-]{1,64})){1,15}$/;
const reserved: ReadonlySet<string> = new Set(['latchkey', 'secrets']);

const isPattern = (text: string) =>
  text.length <= 256 && (text.startsWith('secrets:') ? shapeOfSecrets : shape).test(text);
const segmentsOf = (text: string) => (isPattern(text) ? text.split(':') : undefined);

/**
 * Whether a holder of these patterns has a concrete permission, by the grammar of the server: `*` stands for one segment, at
 * the end for one or more, at the beginning never for `latchkey` or `secrets`.
 */
export function allows(held: readonly string[], permission: string): boolean {
  const wanted = segmentsOf(permission);
  if (wanted?.includes('*')) return false;
  return held.some(
    (pattern) => pattern === permission || (wanted !== undefined && matches(segmentsOf(pattern), wanted)),
  );
}

function matches(pattern: readonly string[] | undefined, wanted: readonly string[]): boolean {
  if (!pattern || pattern.length > wanted.length) return false;
  if (pattern.length < wanted.length && pattern.at(-1) !== '*') return false;
  if (pattern[0] === '*' && reserved.has(wanted[0] ?? '')) return false;
  return pattern.every((segment, n) => segment === '*' || segment === wanted[n]);
}
