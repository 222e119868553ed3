import type Router from '@koa/router';
import type { Context } from 'koa';
import { listEventsOf } from '../audit/index.ts';
import { deviceName } from './devices.ts';
import { eventsInWords, toldActions } from './event-words.ts';
import { accountName, type PagesDeps, show } from './pages.ts';
import { one, own, type SignedIn } from './signed-in.ts';

const perPage = 20;
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** What happened to a person's account. */
export function accountActivityRoutes(router: Router, deps: PagesDeps): void {
  router.get('/account/activity', own(deps, showActivity));
}

async function showActivity(deps: PagesDeps, ctx: Context, { user }: SignedIn): Promise<void> {
  const asked = one(ctx.query.before);
  const before = uuid.test(asked) ? asked : undefined;
  const found = await listEventsOf(deps.db, user.id, { actions: toldActions, limit: perPage + 1, before });
  const shown = await eventsInWords(deps.db, found.slice(0, perPage));
  const events = shown.map(({ event, what, is_by_app, is_alarming }) => ({
    what,
    is_alarming,
    occurred_at: event.occurred_at,
    address: event.address,
    device: is_by_app ? 'The app’s own server' : deviceName(event.user_agent),
  }));
  const older = found.length > perPage ? found[perPage - 1]?.id : undefined;
  show(deps, ctx, 'activity', { events, older, is_first: before === undefined }, { signed_in_as: accountName(user) });
}
