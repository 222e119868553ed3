import { type Authority, forbidden, type Problem } from '../../platform/http/index.ts';
import { type AccessDeps, patternsAt } from './authority.ts';
import { allows, intersection } from './permissions.ts';
import { listHeldRights } from './store.ts';

/** Why a permission is granted or missing, in words for a developer. */
export type Explanation = { allowed: boolean; because: string };

/** The question whether a subject may do something at a resource with a token of these scopes. */
export type Asked = { subject_id: string; resource: string; scopes: readonly string[]; permission: string };

/**
 * What a subject may do at a resource with a token of these scopes: held ∩ every limit ∩ the token's scopes (DESIGN.md §3).
 */
export async function effectivePermissions(
  { db, now }: AccessDeps,
  { subject_id, limits = [], resource, scopes }: Authority & { resource: string; scopes: readonly string[] },
): Promise<string[]> {
  const held = subject_id === undefined ? [] : await listHeldRights(db, subject_id, now());
  const narrowing = [held, ...limits.map(({ rights }) => rights)];
  return narrowing.reduce((left, rights) => intersection(left, patternsAt(rights, resource)), [...scopes]);
}

/** Why a subject may or may not do something at a resource with a token of these scopes. */
export async function explain(
  { db, now }: AccessDeps,
  { subject_id, resource, scopes, permission }: Asked,
): Promise<Explanation> {
  const held = await listHeldRights(db, subject_id, now());
  const giving = held.find((right) => allows(patternsAt([right], resource), permission));
  if (!giving)
    return {
      allowed: false,
      because: `Neither a role nor a permission of its own allows "${permission}" at ${resource}.`,
    };
  if (!allows(scopes, permission))
    return {
      allowed: false,
      because: `The token does not carry "${permission}": ask for it as a scope (${giving.by} gives it).`,
    };
  return { allowed: true, because: `${giving.by} gives it.` };
}

/** The refusal of an action: it names the missing permission, and why it is missing. */
export async function forbiddenBecause(deps: AccessDeps, asked: Asked): Promise<Problem> {
  const { allowed, because } = await explain(deps, asked);
  // The subject holds it and the token contains it: a limit between them refuses it.
  const why = allowed ? 'The API key that was exchanged for the token no longer has it.' : because;
  return forbidden(asked.permission, `This needs "${asked.permission}". ${why}`);
}
