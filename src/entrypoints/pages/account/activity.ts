import type Router from '@koa/router';
import type { Context } from 'koa';
import { listOwnKeyNames } from '../../../domain/api-keys/index.ts';
import { listEventsOf } from '../../../domain/audit/index.ts';
import { person, requestOrigin } from '../../../platform/http/index.ts';
import type { Catalogue } from '../languages/en.ts';
import { accountName, type PagesDeps, show, textsFor } from '../pages.ts';
import { deviceName } from '../records/devices.ts';
import { one, own, type SignedIn } from '../signed-in.ts';
import { type EventInWords, eventsInWords, shownActions } from './event-words.ts';
import type { HappenedEvent } from './page-data.ts';

const perPage = 20;
// Attempts in a row are one line, so more are read than are shown.
const readAtOnce = 200;
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** What happened to a person's account. */
export function accountActivityRoutes(router: Router, deps: PagesDeps): void {
  router.get('/account/activity', own(deps, showActivity));
}

async function showActivity(deps: PagesDeps, ctx: Context, { user }: SignedIn): Promise<void> {
  const asked = one(ctx.query.before);
  const before = uuid.test(asked) ? asked : undefined;
  const keyNames = await listOwnKeyNames(deps, person(user.id, requestOrigin(ctx)));
  const found = await listEventsOf(deps.db, user.id, {
    actions: shownActions,
    key_ids: [...keyNames.keys()],
    limit: readAtOnce,
    before,
  });
  const texts = textsFor(deps, ctx);
  const lines = inLines(await eventsInWords(deps.db, { user_id: user.id, keyNames, texts }, found), texts);
  const events = lines.slice(0, perPage);
  const hasMore = lines.length > perPage || found.length === readAtOnce;
  const data = { events, older: hasMore ? events.at(-1)?.oldest_id : undefined, is_first: before === undefined };
  show(deps, ctx, 'activity', data, { signed_in_as: accountName(user) });
}

type Line = HappenedEvent & { oldest_id: string };

/** One line an event; wrong passwords in a row are one line. */
function inLines(events: readonly EventInWords[], texts: Catalogue): Line[] {
  const lines: Line[] = [];
  for (const { what, event, by, is_alarming } of events) {
    const { id, occurred_at, address, action } = event;
    const device = by === 'browser' ? deviceName(event.user_agent, texts) : texts.activity[by];
    const last = lines.at(-1);
    const isRepeated = last?.what === what && last.device === device && last.address === address;
    if (action === 'session.refused' && last && isRepeated)
      lines.splice(-1, 1, { ...last, times: last.times + timesOf(event), first_at: occurred_at, oldest_id: id });
    else {
      const times = timesOf(event);
      lines.push({ what, is_alarming, occurred_at, first_at: occurred_at, times, device, address, oldest_id: id });
    }
  }
  return lines;
}

/** Refusals of one minute are one event, which tells how many there were. */
function timesOf({ details }: EventInWords['event']): number {
  return typeof details?.more === 'number' ? details.more : 1;
}
