import type Router from '@koa/router';
import type { Context } from 'koa';

/** Redirects other spellings of console addresses: with a trailing slash, or from before users were called users. */
export function movedAddresses(router: Router): void {
  router.get(/^\/console(?:\/.*)?\/$/, (ctx) => moveTo(ctx, ctx.path.replace(/\/+$/, '')));
  router.get(/^\/console\/(?:people|new-person)(?:\/|$)/, (ctx) =>
    moveTo(ctx, ctx.path.replace('/people', '/users').replace('/new-person', '/new-user')),
  );
}

function moveTo(ctx: Context, path: string): void {
  ctx.redirect(`${path}${ctx.search}`);
  ctx.status = 308;
}
