import type { Context } from 'koa';
import { allows } from '../../../domain/access/index.ts';
import type { User } from '../../../domain/users/index.ts';
import { type Actor, Problem, requestOrigin } from '../../../platform/http/index.ts';
import type { BrowserSession } from '../../oauth/index.ts';
import { adminPermissionsOf } from '../admin-permissions.ts';
import type { PagesDeps } from '../pages.ts';
import { whoIsHere } from '../signed-in.ts';

/** Somebody signed in with this browser who may do something here, as the actor of what they do. */
export type Administrator = { user: User; session: BrowserSession; actor: Actor };

/**
 * Who is here; undefined: nobody is signed in.
 *
 * @throws Problem 403: they hold no permission of Latchkey's
 */
export async function administratorOf(deps: PagesDeps, ctx: Context): Promise<Administrator | undefined> {
  const here = await whoIsHere(deps, ctx);
  if (!here) return undefined;
  const { user, session } = here;
  const permissions = await adminPermissionsOf(deps, user.id);
  if (permissions.length === 0) throw notForThem();
  const { id } = user;
  return {
    user,
    session,
    actor: { kind: 'user', id, subject_id: id, limits: [], permissions, origin: requestOrigin(ctx) },
  };
}

function notForThem(): Problem {
  return new Problem(403, 'forbidden', {
    title: 'The console is for administrators',
    detail: 'Your account has no role that lets it manage anything here. Ask somebody who administers this server.',
  });
}

export function mayDo({ actor }: Administrator, permission: string): boolean {
  return allows(actor.permissions, permission);
}
