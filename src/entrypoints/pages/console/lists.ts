import { type Listing, listPage, type Rows } from '../records/lists.ts';
import type { ActionLink, ListChart } from '../records/page-shapes.ts';
import type { RouteName } from './admin-client.ts';
import { allowedActions, type RequestContext, showInConsole } from './request-context.ts';

/** A list of the console, and how its rows are read. */
export type List = Listing & {
  /** @throws Problem 403: the user may not see it; 400: an invalid address */
  read: (context: RequestContext, query: Record<string, string>) => Promise<Rows>;
  /** A chart of the matching records, above the first page of it. */
  chart?: (context: RequestContext, query: Record<string, string>) => Promise<ListChart | undefined>;
  actions?: readonly (ActionLink & { route: RouteName })[];
};

export async function showList(context: RequestContext, list: List): Promise<void> {
  const { ctx, crumb } = context;
  let chart: ListChart | undefined;
  const page = await listPage(ctx, { ...list, path: crumb.href }, async (query) => {
    const rows = await list.read(context, { ...query, total: 'true' });
    if (!query.cursor) chart = await list.chart?.(context, query);
    return rows;
  });
  const actions = allowedActions(context, list.actions ?? []);
  showInConsole(context, 'console-list', { ...page, actions, chart }, page.problem ? 400 : 200);
}
