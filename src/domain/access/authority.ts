import type { Db } from '../../platform/database/index.ts';
import { type Actor, forbidden, type Limit, Problem } from '../../platform/http/index.ts';
import { allows, contains } from './permissions.ts';
import { type HeldRight, listHeldRights, type Right } from './store.ts';

export type AccessDeps = { db: Db; now: () => Date };

const ofLatchkeyItself = /^latchkey(:|$)/;

/** The scope that a token needs to grant permissions other than Latchkey's own. */
const givePermission = 'latchkey:permission:give';

/**
 * The limit that an access token for the admin API sets: with it, an actor grants only those of Latchkey's own permissions that it
 * contains. A token for this API cannot contain permissions at other APIs; the actor grants those only with `latchkey:permission:give`.
 */
export function limitOfToken(permissions: readonly string[]): Limit {
  const patterns = permissions.filter((pattern) => ofLatchkeyItself.test(pattern));
  const others = allows(permissions, givePermission) ? ['*', 'secrets:*'] : [];
  const rights = [...patterns, ...others].map((pattern) => ({ resource: null, pattern }));
  return { by: 'the access token', rights, until: null, restrictions: {}, conditions: [], isOfAdminToken: true };
}

/**
 * Guards an operation that needs a permission in addition to that of its route.
 *
 * @throws Problem 403 naming the permission
 */
export function mustBePermitted(actor: Actor, permission: string, doing: string): void {
  if (!allows(actor.permissions, permission)) throw forbidden(permission, `${doing} needs "${permission}".`);
}

/**
 * Guards granting permissions by a role, a client or a key: actors can grant only what they hold (DESIGN.md §7). The subject
 * must hold each permission, and every limit of the credential that it uses must contain it. The operator of the machine holds
 * every permission.
 *
 * @throws Problem 403 naming the first permission that is not held, or the one that the token lacks
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
      `You hold ${right}, but your credential may not grant or change it. An access token needs the scope "${givePermission}" for that, an API key the permission itself.`,
    );
  throw forbidden(pattern, `You cannot grant or change a permission that you do not hold yourself: ${right}.`);
}

/** Something that an actor grants. */
export type Gift = {
  /** Its name in messages, e.g. `the client secret`. */
  what: string;
  /** Its expiry; null: never. */
  until: Date | null;
  /** The member of the request that sets it, and what to send in it. */
  pointer?: string;
  send?: string;
};

/**
 * A grant lasts no longer, and is restricted no less, than the credential that it is made with. An API key that expires or is
 * restricted cannot create a password, role or secret that outlives it or cannot carry its restrictions (DESIGN.md §3,
 * `Authority`). `mustCarryRestrictions` judges keys, which can carry restrictions.
 *
 * @throws Problem 403 naming the latest allowed expiry (`latest`), or the restriction
 */
export function mustNotExceedLimits(actor: Actor, gift: Gift): void {
  mustEndWithLimits(actor, gift);
  for (const { by, conditions } of actor.limits ?? []) {
    const [restriction] = conditions;
    if (restriction === undefined) continue;
    const detail = `You authenticate with ${by}, which has the restriction "${restriction}"; ${gift.what} cannot carry it. Use a credential without this restriction.`;
    throw exceeding(detail, { restriction });
  }
}

/** @throws Problem 403 naming the latest allowed expiry */
export function mustEndWithLimits(actor: Actor, { what, until, pointer, send }: Gift): void {
  const latest = latestEnd(actor);
  if (latest === null || (until !== null && until <= latest)) return;
  const by = actor.limits?.find((limit) => limit.until?.getTime() === latest.getTime())?.by;
  const todo = send ?? 'Use a credential that does not expire.';
  const detail = `You authenticate with ${by}, which expires at ${latest.toISOString()}; ${what} would last longer. ${todo}`;
  throw exceeding(detail, { latest: latest.toISOString() }, pointer);
}

/** The latest expiry that an actor may grant; null: none is required. */
export function latestEnd({ limits = [] }: Pick<Actor, 'limits'>): Date | null {
  return earliest(limits.map(({ until }) => until));
}

/** The earliest of several expiries; null means never, also as the result. */
export function earliest(ends: readonly (Date | null | undefined)[]): Date | null {
  const times = ends.flatMap((end) => end?.getTime() ?? []);
  return times.length === 0 ? null : new Date(Math.min(...times));
}

/** The refusal of a grant that exceeds the credential it is made with. */
export function exceeding(detail: string, members: Record<string, string>, pointer?: string): Problem {
  const at = pointer === undefined ? {} : { pointer };
  return new Problem(403, 'forbidden', { title: 'Not allowed', detail, ...at, members });
}

/** Whether a change grants a right that was not granted before. */
export function addsRights(before: readonly Right[], after: readonly Right[]): boolean {
  const key = ({ resource, pattern }: Right) => JSON.stringify([resource, pattern]);
  const known = new Set(before.map(key));
  return after.some((right) => !known.has(key(right)));
}

/** Whether the subject holds a permission, and every limit of its credential contains it. */
function isHeld(actor: Actor, held: readonly HeldRight[], right: Right): boolean {
  const isOwn = !ofLatchkeyItself.test(right.pattern) || contains(actor.permissions, [right.pattern]);
  return isOwn && isWithin(held, right) && (actor.limits ?? []).every(({ rights }) => isWithin(rights, right));
}

/** Whether rights contain a right. Only a right for every API contains another one for every API. */
export function isWithin(rights: readonly Right[], { resource, pattern }: Right): boolean {
  return contains(patternsAt(rights, resource), [pattern]);
}

/** The patterns of the rights at a resource server; null, undefined: only of rights for every API. */
export function patternsAt(rights: readonly Right[], resource: string | null | undefined): string[] {
  return rights.filter((right) => right.resource === null || right.resource === resource).map(({ pattern }) => pattern);
}
