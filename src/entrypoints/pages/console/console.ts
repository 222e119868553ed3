import type Router from '@koa/router';
import { listRoleAssignments } from '../../../domain/access/index.ts';
import type { PagesDeps } from '../pages.ts';
import { actionRoutes } from './actions.ts';
import { showList } from './lists.ts';
import type { NavItem } from './page-data.ts';
import { administered, type ConsolePart, type RequestContext, showInConsole } from './request-context.ts';
import type { ConsoleSection } from './section.ts';
import { consoleSections } from './sections.ts';

const home: NavItem = { section: 'home', label: 'Console', words: '' };

/** What administrators see and do in a browser: as themselves, through the routes of the admin API. */
export function consoleRoutes(router: Router, deps: PagesDeps): void {
  const at = (section: NavItem) => ({ deps, section, sections: consoleSections });
  router.get('/console', administered(at(home), showHome));
  for (const section of consoleSections) sectionRoutes(router, section, at(section));
}

function sectionRoutes(router: Router, { section, list, details = {}, actions = [] }: ConsoleSection, at: ConsolePart) {
  const shown = list(at.deps);
  router.get(
    `/console/${section}`,
    administered(at, (context) => showList(context, shown)),
  );
  actionRoutes(router, at, actions);
  for (const [path, show] of Object.entries(details)) router.get(`/console${path}`, administered(at, show));
}

async function showHome(context: RequestContext): Promise<void> {
  const { user } = context.who;
  const roles = await listRoleAssignments(context.deps.db, user.id, context.deps.now());
  showInConsole(context, 'console-home', { name: user.name ?? user.username, roles });
}
