import type { Context } from 'koa';
import { allows } from '../../../domain/access/index.ts';
import { type Actor, Problem, person, requestOrigin } from '../../../platform/http/index.ts';
import { adminPermissionsOf } from '../admin-permissions.ts';
import type { PagesDeps } from '../pages.ts';
import { type Here, whoIsHere } from '../signed-in.ts';

/** The signed-in user of this browser with any permission in the console, as the actor of their actions. */
export type Administrator = Here & { actor: Actor };

/**
 * The administrator of this browser; undefined: no one is signed in.
 *
 * @throws Problem 403: the user has no permission of Latchkey
 */
export async function administratorOf(deps: PagesDeps, ctx: Context): Promise<Administrator | undefined> {
  const here = await whoIsHere(deps, ctx);
  if (!here) return undefined;
  const { id } = here.user;
  const permissions = await adminPermissionsOf(deps, id);
  if (permissions.length === 0) throw notForThem();
  return { ...here, actor: { ...person(id, requestOrigin(ctx)), permissions } };
}

function notForThem(): Problem {
  return new Problem(403, 'forbidden', {
    title: 'The console is for administrators',
    detail: 'None of your roles gives you access to the console. Ask an administrator of this server for a role.',
  });
}

export function mayDo({ actor }: Administrator, permission: string): boolean {
  return allows(actor.permissions, permission);
}
