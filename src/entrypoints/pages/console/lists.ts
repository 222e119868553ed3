import type Router from '@koa/router';
import type { PagesDeps } from '../pages.ts';
import { type Listing, listPage, type Rows } from '../records/lists.ts';
import type { ActLink } from '../records/page-shapes.ts';
import type { RouteName } from './admin-client.ts';
import type { Section } from './page-data.ts';
import { administered, type Place, showInConsole } from './request-context.ts';

/** A list of the console, and how its rows are read. */
export type List = Listing & {
  section: Section;
  /** @throws Problem 403: the person may not see it; 400: an address that was made up */
  read: (place: Place, query: Record<string, string>) => Promise<Rows>;
  acts?: readonly (ActLink & { does: RouteName })[];
};

export function listRoutes(router: Router, deps: PagesDeps, lists: readonly List[]): void {
  for (const list of lists) {
    router.get(
      `/console/${list.section}`,
      administered(deps, (place) => showList(place, list)),
    );
  }
}

async function showList(place: Place, list: List): Promise<void> {
  const { section, read, acts = [] } = list;
  const page = await listPage(place.ctx, { ...list, path: `/console/${section}` }, (query) => read(place, query));
  const allowed = acts.filter(({ does }) => place.calls.may(does));
  showInConsole(place, 'console-list', { ...page, section, acts: allowed }, page.problem ? 400 : 200);
}
