import type Router from '@koa/router';
import type { Context } from 'koa';
import { notFound } from '../../platform/http/index.ts';
import { adminAudience, adminReference, type OperationGroup, searchReference } from '../admin/index.ts';
import { pagePaths } from './page-data.ts';
import { type PagesDeps, show } from './pages.ts';
import { one } from './signed-in.ts';

const longestSearch = 100;

/** The reference of the admin API. It is the same for everyone and contains nothing of this installation but its address. */
export function referenceRoutes(router: Router, deps: PagesDeps): void {
  const { issuer } = deps;
  const audience = adminAudience(issuer);
  // Created at the first request, as the OpenAPI document is.
  let made: OperationGroup[] | undefined;
  const reference = () => {
    made ??= adminReference(issuer);
    return made;
  };
  router.get(pagePaths.apiReference, async (ctx: Context) => {
    const q = one(ctx.query.q).trim().slice(0, longestSearch);
    show(deps, ctx, 'reference', { issuer, audience, q, groups: searchReference(reference(), q) });
  });
  router.get('/admin/docs/:group', async (ctx: Context) => {
    const groups = reference();
    const group = groups.find(({ name }) => name === ctx.params.group);
    if (!group) throw notFound('part of the API', String(ctx.params.group).slice(0, 64));
    show(deps, ctx, 'reference-group', { audience, names: groups.map(({ name }) => name), group });
  });
}
