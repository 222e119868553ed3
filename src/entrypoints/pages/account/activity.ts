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

/** The recorded activity of a user's account. */
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
  const { events, older } = firstPage(lines);
  const hasMore = events.length < lines.length || found.length === readAtOnce;
  const data = { events, older: hasMore ? older : undefined, is_first: before === undefined };
  show(deps, ctx, 'activity', data, { signed_in_as: accountName(user) });
}

type Line = HappenedEvent & { newest_id: string; oldest_id: string };

/**
 * One line an event, by time: the number of refusals in a minute is recorded at the end of that minute, so after other events of it.
 * Consecutive refusals are one line for each kind, across minutes.
 */
function inLines(events: readonly EventInWords[], texts: Catalogue): Line[] {
  const byTime = events.toSorted((a, b) => b.event.occurred_at.getTime() - a.event.occurred_at.getTime());
  const lines: Line[] = [];
  let rowBegins = 0;
  for (const each of byTime) {
    const line = lineOf(each, texts);
    const same = lines.findIndex((other, index) => index >= rowBegins && isSame(line, other));
    const earlier = each.event.action === 'session.refused' ? lines[same] : undefined;
    if (earlier) lines[same] = joined(earlier, line);
    else lines.push(line);
    if (each.event.action !== 'session.refused') rowBegins = lines.length;
  }
  return lines;
}

function lineOf({ what, event, by, is_alarming }: EventInWords, texts: Catalogue): Line {
  const { id, occurred_at, address } = event;
  const device = by === 'browser' ? deviceName(event.user_agent, texts) : texts.activity[by];
  const times = timesOf(event);
  const time = { occurred_at, first_at: occurred_at, times };
  return { what, is_alarming, ...time, device, address, newest_id: id, oldest_id: id };
}

const isSame = (a: Line, b: Line) => a.what === b.what && a.device === b.device && a.address === b.address;

const joined = (later: Line, earlier: Line): Line => ({
  ...later,
  times: later.times + earlier.times,
  first_at: earlier.first_at,
  newest_id: inOrder(later.newest_id, earlier.newest_id)[1],
  oldest_id: inOrder(later.oldest_id, earlier.oldest_id)[0],
});

/** Ids grow with time (UUIDv7). */
const inOrder = (a: string, b: string): [string, string] => (a.localeCompare(b) < 0 ? [a, b] : [b, a]);

/** The first lines, and the id before which the next page begins: by id it also contains newer events. */
function firstPage(lines: readonly Line[]): { events: Line[]; older: string | undefined } {
  const events = lines.slice(0, perPage);
  let older = oldestOf(events);
  for (const line of lines.slice(perPage)) {
    if (older === undefined || line.newest_id < older) break;
    events.push(line);
    older = oldestOf(events);
  }
  return { events, older };
}

const oldestOf = (lines: readonly Line[]) => lines.map(({ oldest_id }) => oldest_id).toSorted()[0];

/** Refusals of one minute are one event with their number. */
function timesOf({ details }: EventInWords['event']): number {
  return typeof details?.more === 'number' ? details.more : 1;
}
