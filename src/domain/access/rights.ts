import type { Db } from '../../platform/database/index.ts';
import { type Actor, forbidden, type Problem } from '../../platform/http/index.ts';
import { allows, contains, intersection } from './permissions.ts';
import { type HeldRight, listHeldRights, type Right } from './store.ts';

export type AccessDeps = { db: Db; now: () => Date };

/** What speaks for or against a permission, in words for a developer. */
export type Explanation = { allowed: boolean; because: string };

/** May this subject do this there, with a token of these scopes? */
export type Asked = { subject_id: string; resource: string; scopes: readonly string[]; permission: string };

const ofLatchkeyItself = /^latchkey(:|$)/;

/** What a subject may do at a resource with a token of these scopes: what it holds there, and no more than the token says. */
export async function effectivePermissions(
  { db, now }: AccessDeps,
  { subject_id, resource, scopes }: { subject_id: string; resource: string; scopes: readonly string[] },
): Promise<string[]> {
  return intersection(scopes, at(await listHeldRights(db, subject_id, now()), resource));
}

/** Why a subject may or may not do something at a resource with a token of these scopes. */
export async function explain(
  { db, now }: AccessDeps,
  { subject_id, resource, scopes, permission }: Asked,
): Promise<Explanation> {
  const held = await listHeldRights(db, subject_id, now());
  const giving = held.find((right) => allows(at([right], resource), permission));
  if (!giving)
    return { allowed: false, because: `No role and no permission of its own gives "${permission}" at ${resource}.` };
  if (!allows(scopes, permission))
    return {
      allowed: false,
      because: `The token does not carry "${permission}": ask for it as a scope (${giving.by} gives it).`,
    };
  return { allowed: true, because: `${giving.by} gives it.` };
}

/** The refusal of what a subject may not do: it names the permission, and why it is missing. */
export async function forbiddenBecause(deps: AccessDeps, asked: Asked): Promise<Problem> {
  const { because } = await explain(deps, asked);
  return forbidden(asked.permission, `This needs "${asked.permission}". ${because}`);
}

/** What a token must carry to give away rights other than Latchkey's own. */
const givePermission = 'latchkey:permission:give';

/**
 * The limit that a token for the admin API sets to what is given away with it: the permissions of Latchkey's own that it
 * carries. Rights at other APIs cannot be in a token for this one; it gives them away only where it carries
 * `latchkey:permission:give`.
 */
export function limitOfToken(permissions: readonly string[]): Right[] {
  const patterns = permissions.filter((pattern) => ofLatchkeyItself.test(pattern));
  const others = allows(permissions, givePermission) ? ['*', 'secrets:*'] : [];
  return [...patterns, ...others].map((pattern) => ({ resource: null, pattern }));
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

/** Whether the subject holds a right, and everything that it acts by contains it. */
function isHeld(actor: Actor, held: readonly HeldRight[], right: Right): boolean {
  const isOwn = !ofLatchkeyItself.test(right.pattern) || contains(actor.permissions, [right.pattern]);
  return isOwn && isWithin(held, right) && (actor.limits ?? []).every((limit) => isWithin(limit, right));
}

/** Whether rights contain another one. One for every API is only contained in one for every API. */
function isWithin(rights: readonly Right[], { resource, pattern }: Right): boolean {
  const here = rights.filter((right) => right.resource === null || right.resource === resource);
  return contains(
    here.map((right) => right.pattern),
    [pattern],
  );
}

function at(held: readonly HeldRight[], resource: string): string[] {
  return held.filter((right) => right.resource === null || right.resource === resource).map(({ pattern }) => pattern);
}
