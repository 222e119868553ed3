import type Router from '@koa/router';
import type { PagesDeps } from '../pages.ts';
import * as acts from '../records/actions.ts';
import type { RouteName } from './admin-client.ts';
import type { Placed } from './page-data.ts';
import { administered, type Place, showInConsole } from './request-context.ts';

export type Asked = acts.Asked & Placed;
export type Sent = acts.Sent;
export type Done = acts.Done<Placed>;

/** Something an administrator can do. */
export type Act = acts.Act<Place, Placed> & {
  /** The route of the admin API that it uses: who may not use that may not do this. */
  does: RouteName;
};

export function actRoutes(router: Router, deps: PagesDeps, doings: readonly Act[]): void {
  const stage: acts.Stage<Place, Placed, Act> = {
    path: '/console',
    enter: (handle) => administered(deps, handle),
    admit: ({ calls }, { does }) => calls.mustBeAllowed(does),
    showAct: (place, page, status) => showInConsole(place, 'console-act', page, status),
    showMade: (place, page) => showInConsole(place, 'console-made', page),
  };
  acts.actRoutes(router, stage, doings);
}
