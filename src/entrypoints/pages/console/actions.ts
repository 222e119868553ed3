import type Router from '@koa/router';
import * as records from '../records/actions.ts';
import type { RouteName } from './admin-client.ts';
import { administered, type ConsolePart, type RequestContext, showInConsole } from './request-context.ts';

export type ActionDescription = records.ActionDescription;
export type FormInput = records.FormInput;
export type ActionResult = records.ActionResult;

/** An action of an administrator. */
export type Action = records.Action<RequestContext> & {
  /** The admin API route that it calls: it is available only to users who may call that. */
  route: RouteName;
};

export function actionRoutes(router: Router, part: ConsolePart, actions: readonly Action[]): void {
  const host: records.ActionHost<RequestContext, Action> = {
    path: '/console',
    enter: (handle) => administered(part, handle),
    admit: ({ api }, { route }) => api.mustBeAllowed(route),
    showAction: (context, page, status) => showInConsole(context, 'console-action', page, status),
    showMade: (context, page) => showInConsole(context, 'console-made', page),
  };
  records.actionRoutes(router, host, actions);
}
