import type { Db } from '../platform/database/index.ts';
import { type Actor, forbidden, type Problem } from '../platform/http/index.ts';
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

/**
 * Nobody gives away what they do not hold (DESIGN.md §7): not by a role, not through a client, not by a key. What governs
 * Latchkey itself must also be in the token that asks; by a token that was got for an API key nobody gives away more than the
 * key may. The operator at the machine holds everything.
 *
 * @throws Problem 403 naming the first right that is not held
 */
export async function mustHold({ db, now }: AccessDeps, actor: Actor, rights: readonly Right[]): Promise<void> {
  if (actor.kind === 'system' || rights.length === 0) return;
  const held = actor.subject_id === undefined ? [] : await listHeldRights(db, actor.subject_id, now());
  const lacking = rights.find((right) => !isHeld(actor, held, right));
  if (!lacking) return;
  const place = lacking.resource === null ? 'at every API' : `at ${lacking.resource}`;
  throw forbidden(
    lacking.pattern,
    `You cannot give or change what you do not hold yourself: "${lacking.pattern}" ${place}.`,
  );
}

/** Whether what is held contains a right. One for every API is only contained in one for every API. */
function isHeld(actor: Actor, held: readonly HeldRight[], { resource, pattern }: Right): boolean {
  const isInToken = !ofLatchkeyItself.test(pattern) || contains(actor.permissions, [pattern]);
  const isWithin = (rights: readonly Right[]) =>
    contains(
      rights.filter((right) => right.resource === null || right.resource === resource).map((right) => right.pattern),
      [pattern],
    );
  return isInToken && isWithin(held) && (actor.ceiling === undefined || isWithin(actor.ceiling));
}

function at(held: readonly HeldRight[], resource: string): string[] {
  return held.filter((right) => right.resource === null || right.resource === resource).map(({ pattern }) => pattern);
}
