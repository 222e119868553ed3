import type Router from '@koa/router';
import type { PagesDeps } from '../pages.ts';
import { actionRoutes } from './actions.ts';
import { showList } from './lists.ts';
import { movedAddresses } from './moved.ts';
import { overviewRoutes } from './overview/overview.ts';
import type { NavItem } from './page-data.ts';
import { administered, type ConsolePart, type RequestContext } from './request-context.ts';
import { showSearch } from './search/search.ts';
import type { ConsoleSection } from './section.ts';
import { consoleSections } from './sections.ts';

const overview: NavItem = { section: '', label: 'Overview', icon: 'home' };
const searching: NavItem = { section: 'search', label: 'Search', icon: 'search' };

/** The pages and actions of administrators: as themselves, through the routes of the admin API. */
export function consoleRoutes(router: Router, deps: PagesDeps): void {
  const at = (section: NavItem) => ({ deps, section, overview, sections: consoleSections });
  movedAddresses(router);
  overviewRoutes(router, at(overview));
  router.get('/console/search', administered(at(searching), showSearch));
  for (const section of consoleSections) sectionRoutes(router, section, at(section));
}

function sectionRoutes(router: Router, { section, main, details = {}, actions = [] }: ConsoleSection, at: ConsolePart) {
  router.get(`/console/${section}`, administered(at, mainPage(main, at.deps)));
  actionRoutes(router, at, actions);
  for (const [path, show] of Object.entries(details)) router.get(`/console${path}`, administered(at, show));
}

function mainPage(main: ConsoleSection['main'], deps: PagesDeps): (context: RequestContext) => Promise<void> {
  if ('page' in main) return main.page;
  const list = main.list(deps);
  return (context) => showList(context, list);
}
