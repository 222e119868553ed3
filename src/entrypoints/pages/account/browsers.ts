import { forgetBrowser, listRememberedBrowsers, type RememberedBrowser } from '../../../domain/browsers/index.ts';
import { notFound, person, requestOrigin } from '../../../platform/http/index.ts';
import { pagePaths } from '../page-data.ts';
import { textsFor } from '../pages.ts';
import type { Action, RequestContext } from '../records/actions.ts';
import * as cell from '../records/cells.ts';
import { deviceName } from '../records/devices.ts';
import type { Panel } from '../records/page-shapes.ts';

const to = pagePaths.security;

async function rememberedOf({ deps, who }: RequestContext): Promise<RememberedBrowser[]> {
  const { remember_browser_days: days } = await deps.policy.current();
  return listRememberedBrowsers(deps, { user_id: who.user.id, days });
}

/** The browsers in which the user skips the second factor; nothing if there are none. */
export async function browsersPanel(context: RequestContext): Promise<Panel[]> {
  const browsers = await rememberedOf(context);
  if (browsers.length === 0) return [];
  const { browsers: t, security } = textsFor(context.deps, context.ctx);
  const columns = [t.browser, security.added, security.lastUsed, t.until, ''].map((label) => ({ label }));
  const rows = browsers.map(({ id, user_agent, created_at, last_used_at, expires_at }) => {
    const name = deviceName(user_agent, textsFor(context.deps, context.ctx));
    const times = [created_at, last_used_at, expires_at].map((time) => cell.time(time));
    return [cell.text(name), ...times, cell.action(t.forget, `${to}/browsers/${id}/forget`, name)];
  });
  return [{ heading: t.title, intro: t.note, content: { kind: 'table', columns, rows, empty: '' } }];
}

/** Requires the second factor there again. */
export const forgettingBrowser: Action<RequestContext> = {
  path: '/browsers/:browser_id/forget',
  describe: async (context) => {
    const { browsers: t, security } = textsFor(context.deps, context.ctx);
    const browser = (await rememberedOf(context)).find(({ id }) => id === context.params.browser_id);
    if (!browser) throw notFound('browser', String(context.params.browser_id).slice(0, 64));
    const name = deviceName(browser.user_agent, textsFor(context.deps, context.ctx));
    return {
      ...{ crumb: { text: security.title, href: to }, name: '', back: to, impact: [], fields: [] },
      ...{ heading: t.forgetting({ name }), words: [t.forgetNote], button: t.forget, danger: true },
    };
  },
  perform: async ({ deps, ctx, who, params }) => {
    await forgetBrowser(deps, person(who.user.id, requestOrigin(ctx)), String(params.browser_id));
    return { to, done: 'browser-forgotten' };
  },
};
