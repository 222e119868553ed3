/** What a client may ask for at one resource server; `resource: null` stands for any. */
export type Entitlement = { resource: string | null; pattern: string };

const maxLength = 256;
const grammar = /^(?:\*|[A-Za-z0-9_.-]{1,64})(?::(?:\*|[A-Za-z0-9_.-]{1,64})){0,7}$/;

// What governs Latchkey itself and the sealed store is named or not had: no leading `*` reaches it.
const reserved: ReadonlySet<string> = new Set(['latchkey', 'secrets']);

/**
 * Whether a text is in the permission grammar (DESIGN.md §7): one to eight segments `[A-Za-z0-9_.-]{1,64}` or `*`, joined by
 * `:`, at most 256 characters, case-sensitive. A text outside of it (a URL, say) is no pattern: it matches itself only.
 * Linear in the text, and constant for one that is too long.
 */
export function isPermissionPattern(text: string): boolean {
  return text.length <= maxLength && grammar.test(text);
}

/**
 * Whether someone who holds these patterns has this permission: the question asked of every request. What is checked is
 * concrete; a permission with a `*` segment is nobody's (whether a pattern may be handed on is what `contains` answers).
 * One pass over what is held.
 */
export function allows(held: readonly string[], permission: string): boolean {
  const checked = parse(permission);
  if (checked.segments?.includes('*')) return false;
  // Without a `*` a pattern matches itself only: most need no parsing.
  return held.some((pattern) => pattern === permission || (pattern.includes('*') && includes(parse(pattern), checked)));
}

/**
 * Whether every permission that the inner pattern matches is matched by the outer one too; exact.
 * A leading or middle `*` stands for one segment, a trailing one for one or more, a leading one never for `latchkey` or `secrets`.
 */
export function covers(outer: string, inner: string): boolean {
  return includes(parse(outer), parse(inner));
}

/**
 * Whether whoever holds `outer` may hand on `inner`: each inner pattern is covered by one outer pattern. Nothing contained is
 * trivially so; nothing but that is contained in nothing.
 *
 * Never wrongly true. Exact for up to 64 outer patterns, because several cover no more together than one of them alone: of the
 * 65 one-character segments each concrete pattern can claim one, so a value for `*` remains that none of them has. Beyond that it
 * is false only where the outer set lists every value that the length limit leaves to a `*`.
 * Time: the product of both counts, at most eight comparisons each.
 */
export function contains(outer: readonly string[], inner: readonly string[]): boolean {
  const held = outer.map(parse);
  return inner.map(parse).every((wanted) => held.some((pattern) => includes(pattern, wanted)));
}

/**
 * Whether a scope may be asked for at a resource server (its identifier, compared exactly: RFC 8707 §2). The scope may itself be
 * a pattern: then all of it must be covered. Denied by default.
 */
export function entitled(entitlements: readonly Entitlement[], resource: string, scope: string): boolean {
  const here = entitlements.filter((entitlement) => entitlement.resource === null || entitlement.resource === resource);
  return contains(
    here.map(({ pattern }) => pattern),
    [scope],
  );
}

/**
 * The patterns that match exactly what both sets match: whoever is held to both may do what these allow. Never wider than
 * either; linear in the product of both counts.
 */
export function intersection(one: readonly string[], other: readonly string[]): string[] {
  const [a, b] = [one.map(parse), other.map(parse)];
  return [...new Set(a.flatMap((left) => b.flatMap((right) => meet(left, right))))];
}

function meet(a: Parsed, b: Parsed): string[] {
  if (a.text === b.text) return [a.text];
  if (!a.segments || !b.segments) return [];
  const [short, long] = a.segments.length <= b.segments.length ? [a.segments, b.segments] : [b.segments, a.segments];
  const isOpen = short.at(-1) === '*';
  if (short.length !== long.length && !isOpen) return [];
  // A trailing `*` stands for whatever the longer one says from there on; between equals the narrower end remains.
  const met = long.map((segment, n) => narrower(short[n] ?? '*', segment, n));
  const parts = met.filter((segment) => segment !== undefined);
  return parts.length === long.length ? [parts.join(':')] : [];
}

function narrower(left: string, right: string, position: number): string | undefined {
  if (left === right) return left;
  const [pattern, named] = left === '*' ? [left, right] : [right, left];
  if (pattern !== '*' || (position === 0 && reserved.has(named))) return undefined;
  return named;
}

/** `segments` is undefined for a text outside of the grammar. */
type Parsed = { text: string; segments: readonly string[] | undefined };

function parse(text: string): Parsed {
  return { text, segments: isPermissionPattern(text) ? text.split(':') : undefined };
}

function includes(outer: Parsed, inner: Parsed): boolean {
  if (outer.text === inner.text) return true;
  if (!outer.segments || !inner.segments) return false;
  return fits(outer.segments, inner.segments) && outer.segments.every(matchesIn(inner.segments));
}

function fits(outer: readonly string[], inner: readonly string[]): boolean {
  return outer.at(-1) === '*' ? inner.length >= outer.length : inner.length === outer.length;
}

function matchesIn(inner: readonly string[]): (segment: string, position: number) => boolean {
  return (segment, position) => {
    const other = inner[position] ?? '';
    if (segment !== '*') return segment === other;
    return position > 0 || !reserved.has(other);
  };
}
