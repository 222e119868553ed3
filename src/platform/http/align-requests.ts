import type { Context, Next } from 'koa';

let turn: Promise<void> | undefined;

/**
 * Lets the requests that came in one turn of the event loop go on in step: what each does between two waits runs for all of
 * them, then what comes next. A long way through much code is about a third faster so (docs/performance.md), because a step's code is in the
 * processor's caches when the second request takes it; alone, a request loses no more than a turn.
 */
export async function alignRequestsByTurn(_ctx: Context, next: Next): Promise<void> {
  turn ??= new Promise((resolve) => {
    setImmediate(() => {
      turn = undefined;
      resolve();
    });
  });
  await turn;
  await next();
}
