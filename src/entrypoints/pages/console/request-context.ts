import type { Context } from 'koa';
import type { PageData } from '../page-data.ts';
import { accountName, type PagesDeps, show } from '../pages.ts';
import type { ActLink } from '../records/page-shapes.ts';
import { AdminCalls, type RouteName } from './admin-client.ts';
import { type Administrator, administratorOf, mayDo } from './administrator.ts';
import type { ConsolePages, NavItem, Section } from './page-data.ts';

/** One request to the console: who asks, for what, and the admin API as they may use it. */
export type Place = {
  deps: PagesDeps;
  ctx: Context;
  who: Administrator;
  calls: AdminCalls;
  params: Record<string, string>;
};

/** A part of the console; who lacks the permission does not see it. */
type SectionItem = NavItem & { permission: string };

const everySection: readonly SectionItem[] = [
  item('clients', 'Clients', 'client', 'Applications and services, and their secrets'),
  item('apis', 'APIs', 'resource_server', 'Protected APIs and their scopes'),
  item('api-keys', 'API keys', 'api_key', 'With which services and people call APIs'),
  item('people', 'People', 'user', 'Accounts, their roles and passwords'),
  item('roles', 'Roles', 'role', 'What they give, and to whom they are given'),
  item('consents', 'Consents', 'consent', 'What people allowed apps'),
  item('grants', 'Grants', 'grant', 'What apps hold for people right now'),
  item('signing-keys', 'Signing keys', 'signing_key', 'Which sign now, which come next'),
  item('audit-log', 'Audit log', 'audit', 'Who did what, when, from where'),
];

function item(section: Section, label: string, resource: string, words: string): SectionItem {
  return { section, label, words, href: `/console/${section}`, permission: `latchkey:${resource}:read` };
}

/** The parts that a person may see. */
function sectionsFor(who: Administrator): NavItem[] {
  return everySection.filter(({ permission }) => mayDo(who, permission));
}

/** The handler of an address of the console; nobody signed in is sent to sign in, and back. */
export function administered(
  deps: PagesDeps,
  handle: (place: Place) => Promise<void>,
): (ctx: Context) => Promise<void> {
  return async (ctx) => {
    const who = await administratorOf(deps, ctx);
    if (!who) {
      const here = ctx.method === 'POST' ? ctx.path : ctx.url;
      ctx.status = 303;
      ctx.redirect(`/sign-in?return_to=${encodeURIComponent(here)}`);
      return;
    }
    await handle({ deps, ctx, who, calls: new AdminCalls(deps, who), params: ctx.params ?? {} });
  };
}

/** Answers with a page of the console, in its frame. */
export function showInConsole<K extends keyof ConsolePages>(
  { deps, ctx, who }: Place,
  page: K,
  data: PageData[K],
  status = 200,
): void {
  const sections = sectionsFor(who);
  show(deps, ctx, page, data, { status, signed_in_as: accountName(who.user), sections });
}

/** Links to what the person may do. */
export function allowedActs(
  { calls, who }: Place,
  acts: readonly (ActLink & { does: RouteName; needs?: readonly string[] })[],
): ActLink[] {
  return acts.filter(({ does, needs = [] }) => calls.may(does) && needs.every((permission) => mayDo(who, permission)));
}
