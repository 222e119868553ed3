import type { Context } from 'koa';
import type { PageData } from '../page-data.ts';
import { accountName, type PagesDeps, show } from '../pages.ts';
import type { ActionLink } from '../records/page-shapes.ts';
import { signInFor } from '../signed-in.ts';
import { PersonalAdminClient, type RouteName } from './admin-client.ts';
import { type Administrator, administratorOf, mayDo } from './administrator.ts';
import type { ConsolePages, NavItem } from './page-data.ts';

/** A section among those that the sidebar shows to users who have their permission, below the overview. */
export type ConsolePart = {
  deps: PagesDeps;
  section: NavItem;
  overview: NavItem;
  sections: readonly (NavItem & { permission: string })[];
};

/** One request to the console: its user, its address, and the admin API with the user's permissions. */
export type RequestContext = {
  deps: PagesDeps;
  ctx: Context;
  who: Administrator;
  api: PersonalAdminClient;
  params: Record<string, string>;
  section: NavItem;
  /** The sections that the user may see. */
  sections: readonly NavItem[];
  /** The link back to the list of the section. */
  crumb: { text: string; href: string };
};

/** The handler of an address of the console; a user who is not signed in signs in first, and returns. */
export function administered(
  { deps, section, overview, sections }: ConsolePart,
  handle: (context: RequestContext) => Promise<void>,
): (ctx: Context) => Promise<void> {
  const crumb = { text: section.label, href: `/console/${section.section}` };
  return async (ctx) => {
    const who = await administratorOf(deps, ctx);
    if (!who) {
      const here = ctx.method === 'POST' ? ctx.path : ctx.url;
      ctx.status = 303;
      ctx.redirect(signInFor(here));
      return;
    }
    const visible = [overview, ...sections.filter(({ permission }) => mayDo(who, permission))];
    const api = new PersonalAdminClient(deps, who);
    await handle({ deps, ctx, who, api, params: ctx.params ?? {}, section, sections: visible, crumb });
  };
}

/** Answers with a page of the console, in its frame. */
export function showInConsole<K extends keyof ConsolePages>(
  { deps, ctx, who, section: { section }, sections }: RequestContext,
  page: K,
  data: PageData[K],
  status = 200,
): void {
  show(deps, ctx, page, data, { status, signed_in_as: accountName(who.user), sections, section });
}

/** Links to the user's actions. */
export function allowedActions<A extends ActionLink & { route: RouteName; needs?: readonly string[] }>(
  { api, who }: RequestContext,
  actions: readonly A[],
): A[] {
  return actions.filter(
    ({ route, needs = [] }) => api.may(route) && needs.every((permission) => mayDo(who, permission)),
  );
}
