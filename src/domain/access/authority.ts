import type { Db } from '../../platform/database/index.ts';
import { type Actor, forbidden, type Limit, Problem } from '../../platform/http/index.ts';
import { allows, contains } from './permissions.ts';
import { type HeldRight, listHeldRights, type Right } from './store.ts';

export type AccessDeps = { db: Db; now: () => Date };

const ofLatchkeyItself = /^latchkey(:|$)/;

/** What a token must carry to give away rights other than Latchkey's own. */
const givePermission = 'latchkey:permission:give';

/**
 * The limit that a token for the admin API sets to what is given away with it: the permissions of Latchkey's own that it
 * carries. Rights at other APIs cannot be in a token for this one; it gives them away only where it carries
 * `latchkey:permission:give`.
 */
export function limitOfToken(permissions: readonly string[]): Limit {
  const patterns = permissions.filter((pattern) => ofLatchkeyItself.test(pattern));
  const others = allows(permissions, givePermission) ? ['*', 'secrets:*'] : [];
  const rights = [...patterns, ...others].map((pattern) => ({ resource: null, pattern }));
  return { by: 'the access token', rights, until: null, restrictions: {}, conditions: [] };
}

/**
 * For what one route allows to some and not to others: the actor needs a permission beside that of the route.
 *
 * @throws Problem 403 naming the permission
 */
export function mustBePermitted(actor: Actor, permission: string, doing: string): void {
  if (!allows(actor.permissions, permission)) throw forbidden(permission, `${doing} needs "${permission}".`);
}

/**
 * Nobody gives away what they do not hold (DESIGN.md §7): not by a role, not through a client, not by a key. It must be held by
 * the subject and be contained in every limit of what it acts by: a token, an API key. The operator at the machine holds everything.
 *
 * @throws Problem 403 naming the first right that is not held, or the permission that the token lacks
 */
export async function mustHold({ db, now }: AccessDeps, actor: Actor, rights: readonly Right[]): Promise<void> {
  if (actor.kind === 'system' || rights.length === 0) return;
  const held = actor.subject_id === undefined ? [] : await listHeldRights(db, actor.subject_id, now());
  const lacking = rights.find((right) => !isHeld(actor, held, right));
  if (!lacking) return;
  const { resource, pattern } = lacking;
  const right = `"${pattern}" ${resource === null ? 'at every API' : `at ${resource}`}`;
  const couldGive = isWithin(held, lacking) && !ofLatchkeyItself.test(pattern);
  if (couldGive && !allows(actor.permissions, givePermission))
    throw forbidden(
      givePermission,
      `You hold ${right}, but what you act with may not give it away or change it. An access token needs the scope "${givePermission}" for that, an API key the right itself.`,
    );
  throw forbidden(pattern, `You cannot give or change what you do not hold yourself: ${right}.`);
}

/** Something that is given away. */
export type Gift = {
  /** What it is called, e.g. `the client secret`. */
  what: string;
  /** Until when it lasts; null: for good. */
  until: Date | null;
  /** The member of the request that says so, and what to send in it. */
  pointer?: string;
  send?: string;
};

/**
 * What is given away lasts no longer than what gives it, and is restricted no less: an API key that ends or is restricted hands on
 * no password, role or secret that outlives it, or that its restrictions could not follow (DESIGN.md §3, `Authority`). What can
 * itself carry restrictions is judged by `mustCarryRestrictions`.
 *
 * @throws Problem 403 naming the latest end that is allowed (`latest`), or the restriction
 */
export function mustNotExceedLimits(actor: Actor, gift: Gift): void {
  mustEndWithLimits(actor, gift);
  for (const { by, conditions } of actor.limits ?? []) {
    const [restriction] = conditions;
    if (restriction === undefined) continue;
    const detail = `You act by ${by}, which has the restriction "${restriction}"; ${gift.what} cannot carry it. Use a credential without this restriction.`;
    throw exceeding(detail, { restriction });
  }
}

/** @throws Problem 403 naming the latest end that is allowed */
export function mustEndWithLimits(actor: Actor, { what, until, pointer, send }: Gift): void {
  const latest = latestEnd(actor);
  if (latest === null || (until !== null && until <= latest)) return;
  const by = actor.limits?.find((limit) => limit.until?.getTime() === latest.getTime())?.by;
  const todo = send ?? 'Use a credential that does not end.';
  const detail = `You act by ${by}, which ends at ${latest.toISOString()}; ${what} would last longer. ${todo}`;
  throw exceeding(detail, { latest: latest.toISOString() }, pointer);
}

/** Until when something that an actor gives away may last; null: for good. */
export function latestEnd({ limits = [] }: Pick<Actor, 'limits'>): Date | null {
  return earliest(limits.map(({ until }) => until));
}

/** The earliest of several ends; null, also as the answer: it does not end. */
export function earliest(ends: readonly (Date | null | undefined)[]): Date | null {
  const times = ends.flatMap((end) => end?.getTime() ?? []);
  return times.length === 0 ? null : new Date(Math.min(...times));
}

/** The refusal of what would exceed what the actor acts by. */
export function exceeding(detail: string, members: Record<string, string>, pointer?: string): Problem {
  const at = pointer === undefined ? {} : { pointer };
  return new Problem(403, 'forbidden', { title: 'Not allowed', detail, ...at, members });
}

/** Whether a change gives a right that was not given before. */
export function addsRights(before: readonly Right[], after: readonly Right[]): boolean {
  const key = ({ resource, pattern }: Right) => JSON.stringify([resource, pattern]);
  const known = new Set(before.map(key));
  return after.some((right) => !known.has(key(right)));
}

/** Whether the subject holds a right, and everything that it acts by contains it. */
function isHeld(actor: Actor, held: readonly HeldRight[], right: Right): boolean {
  const isOwn = !ofLatchkeyItself.test(right.pattern) || contains(actor.permissions, [right.pattern]);
  return isOwn && isWithin(held, right) && (actor.limits ?? []).every(({ rights }) => isWithin(rights, right));
}

/** Whether rights contain another one. One for every API is only contained in one for every API. */
function isWithin(rights: readonly Right[], { resource, pattern }: Right): boolean {
  return contains(patternsAt(rights, resource), [pattern]);
}

/** The patterns of the rights that apply at a resource server; null, undefined: of those that apply at every one. */
export function patternsAt(rights: readonly Right[], resource: string | null | undefined): string[] {
  return rights.filter((right) => right.resource === null || right.resource === resource).map(({ pattern }) => pattern);
}
