/** What a client may ask for at one resource server; `resource: null` stands for any. */
export type Entitlement = { resource: string | null; pattern: string };

const maxLength = 256;
const grammar = /^(?:\*|[A-Za-z0-9_.-]{1,64})(?::(?:\*|[A-Za-z0-9_.-]{1,64})){0,7}$/;
// The folders of a secret's path are segments.
const grammarOfSecrets = /^secrets(?::(?:\*|[A-Za-z0-9_.-]{1,64})){1,15}$/;

/** What governs Latchkey itself and the sealed store is named or not had: no leading `*` reaches it. */
export type ReservedArea = 'latchkey' | 'secrets';
const reserved: ReadonlySet<string> = new Set<ReservedArea>(['latchkey', 'secrets']);

/** Whether a pattern gives something in one of these areas. */
export function isInArea(pattern: string, areas: readonly ReservedArea[]): boolean {
  const [first = ''] = pattern.split(':');
  return areas.some((area) => area === first);
}

/**
 * Whether a text is in the permission grammar (DESIGN.md §7): one to eight segments `[A-Za-z0-9_.-]{1,64}` or `*`, joined by
 * `:`, at most 256 characters, case-sensitive; up to sixteen segments where the first is `secrets`. A text outside of it (a URL, say)
 * is no pattern: it matches itself only.
 * Linear in the text, and constant for one that is too long.
 */
export function isPermissionPattern(text: string): boolean {
  return text.length <= maxLength && (text.startsWith('secrets:') ? grammarOfSecrets : grammar).test(text);
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
 * Whether a holder of `outer` may give `inner` away: each inner pattern is covered by one outer pattern. Nothing contained is
 * trivially so; nothing but that is contained in nothing.
 *
 * Never wrongly true. Exact for up to 64 outer patterns, because several cover no more together than one of them alone: of the
 * 65 one-character segments each concrete pattern can claim one, so a value for `*` remains that none of them has. Beyond that it
 * is false only where the outer set lists every value that the length limit leaves to a `*`.
 * Time: the product of the inner count and of the outer patterns with a `*`, at most eight comparisons each.
 */
export function contains(outer: readonly string[], inner: readonly string[]): boolean {
  const held = new PatternSet(outer);
  return inner.every((wanted) => held.covers(wanted));
}

/**
 * Patterns that are parsed once, to be asked many times. One question costs a lookup, and one pass over those with a `*`.
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

  /** Whether one of the patterns covers all that this one matches. */
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
 * The patterns that match exactly what both sets match: a subject limited by both may do what these allow. Never wider than
 * either. Linear in the number of concrete patterns; in the product of both counts for those with a `*`.
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
