import type { Context } from 'koa';
import { form, replaceForm } from '../../../../platform/http/index.ts';
import { routes } from '../../endpoints.ts';

/** Whether this is a token request with this grant type. */
export function asksFor(ctx: Context, grant_type: string): boolean {
  return ctx.path === routes.token && ctx.method === 'POST' && form(ctx).get('grant_type') === grant_type;
}

/**
 * Lets the presented credential of a token request identify the client, if no client authenticates: a workload needs nothing else.
 * Undefined: it identifies none.
 *
 * @returns the identified client; undefined: the request authenticates a client, or names another
 */
export function answerForClient(
  ctx: Context,
  parameters: URLSearchParams,
  client_id: string | undefined,
): string | undefined {
  if (client_id === undefined) return undefined;
  const said = parameters.get('client_id') || undefined;
  const isAnswering = !authenticates(ctx, parameters) && (said ?? client_id) === client_id;
  if (said === undefined && isAnswering) {
    parameters.set('client_id', client_id);
    replaceForm(ctx, parameters);
  }
  return isAnswering ? client_id : undefined;
}

function authenticates({ headers }: Context, parameters: URLSearchParams): boolean {
  const isInBody = ['client_secret', 'client_assertion'].some((name) => Boolean(parameters.get(name)));
  return headers.authorization !== undefined || isInBody;
}
