/** The permissions that a client may request at one resource server; `resource: null`: at any. */
export type Entitlement = { resource: string | null; pattern: string };

const mostCharacters = 256;
/** Of a permission for a secret: its path can be long. */
export const mostCharactersOfSecrets = 512;
const grammar = /^(?:\*|[A-Za-z0-9_.-]{1,64})(?::(?:\*|[A-Za-z0-9_.-]{1,64})){0,7}$/;
// The folders of a secret's path are segments.
const grammarOfSecrets = /^secrets(?::(?:\*|[A-Za-z0-9_.-]{1,64})){1,15}$/;

/** Areas of permissions for Latchkey itself and for secrets. A pattern must name them: a leading `*` does not match them. */
export type ReservedArea = 'latchkey' | 'secrets';
const reserved: ReadonlySet<string> = new Set<ReservedArea>(['latchkey', 'secrets']);

/** Whether a pattern matches a permission in one of these areas. */
export function isInArea(pattern: string, areas: readonly ReservedArea[]): boolean {
  const [first = ''] = pattern.split(':');
  return areas.some((area) => area === first);
}

/**
 * Whether a text is in the permission grammar (DESIGN.md §7): one to eight segments `[A-Za-z0-9_.-]{1,64}` or `*`, joined by
 * `:`, at most 256 characters, case-sensitive; up to sixteen segments and 512 characters where the first is `secrets`. A text outside
 * of the grammar, such as a URL, is no pattern: it matches itself only.
 * Linear in the text, and constant for one that is too long.
 */
export function isPermissionPattern(text: string): boolean {
  const isOfSecrets = text.startsWith('secrets:');
  if (text.length > (isOfSecrets ? mostCharactersOfSecrets : mostCharacters)) return false;
  return (isOfSecrets ? grammarOfSecrets : grammar).test(text);
}

/**
 * Whether a holder of these patterns has this permission, as every request is checked. The permission must be concrete: with a `*`
 * segment the answer is false (`contains` answers whether a holder may grant a pattern). One pass over the held patterns.
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
 * Whether a holder of `outer` may grant `inner`: each inner pattern is covered by one outer pattern. An empty `inner` is always
 * contained; an empty `outer` contains nothing else.
 *
 * Never wrongly true. Exact for up to 64 outer patterns: each concrete pattern can cover one of the 65 one-character segments, so
 * one value of a `*` stays uncovered, and several patterns together cover no more than one of them alone. With more patterns it is
 * wrongly false only if the outer set lists every value that the length limit leaves to a `*`.
 * Time: the product of the inner count and of the outer patterns with a `*`, at most eight comparisons each.
 */
export function contains(outer: readonly string[], inner: readonly string[]): boolean {
  const held = new PatternSet(outer);
  return inner.every((wanted) => held.covers(wanted));
}

/**
 * Patterns that are parsed once and checked many times. A check costs a lookup, and one pass over the patterns with a `*`.
 */
export class PatternSet {
  readonly #texts: ReadonlySet<string>;
  readonly #wildcards: readonly Parsed[];
  #parsed: readonly Parsed[] | undefined;

  constructor(patterns: readonly string[]) {
    this.#texts = new Set(patterns);
    // Without a `*` a pattern matches itself only, and needs no parsing.
    this.#wildcards = patterns.filter((pattern) => pattern.includes('*')).map(parse);
  }

  /** Whether one of the patterns covers this one. */
  covers(inner: string): boolean {
    if (this.#texts.has(inner)) return true;
    if (this.#wildcards.length === 0) return false;
    const wanted = parse(inner);
    return this.#wildcards.some((pattern) => includes(pattern, wanted));
  }

  /** Whether one of the patterns is covered by this one. */
  hasWithin(outer: string): boolean {
    if (this.#texts.has(outer)) return true;
    if (!outer.includes('*')) return false;
    const wide = parse(outer);
    this.#parsed ??= [...this.#texts].map(parse);
    return this.#parsed.some((pattern) => includes(wide, pattern));
  }
}

/**
 * Whether a client may request a scope at a resource server (its identifier, compared exactly: RFC 8707 §2). The scope may itself
 * be a pattern: then all of it must be covered. Denied by default.
 */
export function entitled(entitlements: readonly Entitlement[], resource: string, scope: string): boolean {
  const here = entitlements.filter((entitlement) => entitlement.resource === null || entitlement.resource === resource);
  return contains(
    here.map(({ pattern }) => pattern),
    [scope],
  );
}

/**
 * The patterns that match exactly what both sets match: a subject that both sets limit may do what these allow. Linear in the
 * number of concrete patterns; in the product of both counts for those with a `*`.
 */
export function intersection(one: readonly string[], other: readonly string[]): string[] {
  const within = new PatternSet(other);
  let parsed: readonly Parsed[] | undefined;
  const met = [...new Set(one)].flatMap((text) => {
    if (!text.includes('*')) return within.covers(text) ? [text] : [];
    const left = parse(text);
    parsed ??= [...new Set(other)].map(parse);
    return parsed.flatMap((right) => meet(left, right));
  });
  return [...new Set(met)];
}

function meet(a: Parsed, b: Parsed): string[] {
  if (a.text === b.text) return [a.text];
  if (!a.segments || !b.segments) return [];
  const [short, long] = a.segments.length <= b.segments.length ? [a.segments, b.segments] : [b.segments, a.segments];
  const isOpen = short.at(-1) === '*';
  if (short.length !== long.length && !isOpen) return [];
  // A trailing `*` matches the rest of the longer pattern; of patterns with equal length the narrower end remains.
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
