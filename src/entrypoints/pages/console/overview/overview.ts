import type Router from '@koa/router';
import { hideFirstSteps, showFirstSteps } from '../../../../domain/overview/index.ts';
import type { RouteName } from '../admin-client.ts';
import { administered, type ConsolePart, type RequestContext, showInConsole } from '../request-context.ts';
import { attentionFor } from './attention.ts';
import { firstStepsFor, postTo } from './first-steps.ts';
import type { OverviewFigures } from './page-data.ts';
import { rangeIn, rangeLinks, requestsChart } from './requests-chart.ts';
import { tilesFor } from './tiles.ts';

const figures: RouteName = 'GET /activity';

/** The first page of the console, and the form that hides its list of first steps. */
export function overviewRoutes(router: Router, part: ConsolePart): void {
  router.get('/console', administered(part, showOverview));
  router.post('/console/first-steps/hide', administered(part, postTo(hideFirstSteps)));
  router.post('/console/first-steps/show', administered(part, postTo(showFirstSteps)));
}

async function showOverview(context: RequestContext): Promise<void> {
  const { api, who } = context;
  showInConsole(context, 'console-home', {
    name: who.user.name ?? who.user.username,
    figures: api.may(figures) ? await figuresFor(context) : undefined,
  });
}

async function figuresFor(context: RequestContext): Promise<OverviewFigures> {
  const range = rangeIn(String(context.ctx.query.range ?? ''));
  // The chart first: its request counts new events, which the tiles and first steps show as well.
  const requests = await requestsChart(context, range);
  const [tiles, attention, firstSteps] = await Promise.all([
    tilesFor(context),
    attentionFor(context),
    firstStepsFor(context),
  ]);
  return { ranges: rangeLinks(range), requests, tiles, attention, firstSteps };
}
