import type Router from '@koa/router';
import type { Context } from 'koa';
import { listRoleNames } from '../../../domain/access/index.ts';
import { listOwnKeyNames, listOwnKeys, viewOf } from '../../../domain/api-keys/index.ts';
import { listEventsOf, type RecordedEvent } from '../../../domain/audit/index.ts';
import { listEveryConsentOf } from '../../../domain/consents/index.ts';
import { listSessions } from '../../../domain/sessions/index.ts';
import { noteDownload, type User } from '../../../domain/users/index.ts';
import { type Actor, person, requestOrigin } from '../../../platform/http/index.ts';
import { checkCsrf, csrfToken } from '../csrf.ts';
import type { Catalogue } from '../languages/en.ts';
import { pagePaths } from '../page-data.ts';
import { accountName, type PagesDeps, show, textsFor } from '../pages.ts';
import { own, type SignedIn } from '../signed-in.ts';
import { eventsInWords, shownActions } from './event-words.ts';

// Limits for records that others can create many of, so that the size of the file is bounded.
const maxEvents = 10_000;
const maxSessions = 10_000;
const maxKeys = 10_000;
const eventsAtOnce = 1000;

/** A copy of the stored data about a user. */
export function accountDataRoutes(router: Router, deps: PagesDeps): void {
  router.get('/account/data', own(deps, showData));
  router.post('/account/data', own(deps, download));
}

async function showData(deps: PagesDeps, ctx: Context, { user }: SignedIn): Promise<void> {
  const data = { csrf: csrfToken(deps, ctx), action: pagePaths.ownData };
  show(deps, ctx, 'own-data', data, { signed_in_as: accountName(user) });
}

async function download(deps: PagesDeps, ctx: Context, who: SignedIn): Promise<void> {
  checkCsrf(deps, ctx);
  const actor = person(who.user.id, requestOrigin(ctx));
  await noteDownload(deps, actor);
  const copy = await copyOf(deps, actor, { ...who, texts: textsFor(deps, ctx) });
  ctx.type = 'application/json';
  ctx.set('Cache-Control', 'no-store');
  ctx.set('Content-Disposition', `attachment; filename="account-data-${copy.made_at.slice(0, 10)}.json"`);
  ctx.body = `${JSON.stringify(copy, undefined, 2)}\n`;
}

type Reader = SignedIn & { texts: Catalogue };

/** Everything but credentials: not even digests of passwords, tokens and session ids. */
async function copyOf(deps: PagesDeps, actor: Actor, { user, session_uid, texts }: Reader) {
  const { db, now, issuer } = deps;
  const made_at = now();
  const [roles, { sessions }, consents, api_keys, security_events] = await Promise.all([
    listRoleNames(db, user.id, made_at),
    listSessions(db, user.id, { now: made_at, current: session_uid, offset: 0, limit: maxSessions }),
    listEveryConsentOf(db, user.id),
    keysOf(deps, actor),
    securityEvents(deps, actor, { user_id: user.id, texts }),
  ]);
  return {
    issuer,
    made_at: made_at.toISOString(),
    profile: profileOf(user),
    roles,
    sessions: sessions.map(({ uid, ...session }) => ({ ...session, is_this_browser: uid === session_uid })),
    consents,
    api_keys,
    security_events,
  };
}

function profileOf(user: User) {
  const { id, username, email, email_verified, email_verified_by, email_verified_at } = user;
  const { name, language, browser_language, created_at, updated_at } = user;
  const verification = { email_verified, email_verified_by, email_verified_at };
  return { id, username, email, ...verification, name, language, browser_language, created_at, updated_at };
}

/** The data of keys that may be shown: how they start and end. */
async function keysOf({ db, now, config }: PagesDeps, actor: Actor) {
  const deps = { db, now, environments: config.apiKeyEnvironments };
  const keys = await listOwnKeys(deps, actor, { sort: '-created_at', offset: 0, limit: maxKeys });
  return keys.map((key) => {
    const { owner: _, version: __, ...shown } = viewOf(deps, key);
    return shown;
  });
}

async function securityEvents(
  { db }: PagesDeps,
  actor: Actor,
  { user_id, texts }: { user_id: string; texts: Catalogue },
) {
  const keyNames = await listOwnKeyNames({ db }, actor);
  const key_ids = [...keyNames.keys()];
  const events: RecordedEvent[] = [];
  let before: string | undefined;
  while (events.length < maxEvents) {
    const found = await listEventsOf(db, user_id, { actions: shownActions, key_ids, limit: eventsAtOnce, before });
    events.push(...found);
    before = found.at(-1)?.id;
    if (found.length < eventsAtOnce) break;
  }
  const inWords = await eventsInWords(db, { user_id, keyNames, texts }, events);
  return inWords.map(({ what, by, event: { occurred_at, action, outcome, reason, address, user_agent } }) => ({
    occurred_at,
    what,
    by,
    action,
    outcome,
    reason,
    address,
    user_agent,
  }));
}
