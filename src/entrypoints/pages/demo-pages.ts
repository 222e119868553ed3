import type { Context } from 'koa';
import type { PageData } from './page-data.ts';
import { chromeOf, type PagesDeps } from './pages.ts';
import { renderPage } from './render.ts';

/** The links to the demo app when this server serves it. */
export function demoPages(deps: Pick<PagesDeps, 'now' | 'config'>) {
  return {
    home: (page: PageData['demo-home'], ctx: Context) => renderPage('demo-home', page, chromeOf(deps, ctx)),
    tokens: (page: PageData['demo-tokens'], ctx: Context) => renderPage('demo-tokens', page, chromeOf(deps, ctx)),
  };
}
