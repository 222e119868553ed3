import { v7 as uuidv7 } from 'uuid';
import { digest, generateCredential } from '../../platform/crypto/index.ts';
import { type Db, inTransaction } from '../../platform/database/index.ts';
import { type Actor, notFound, type Origin, person } from '../../platform/http/index.ts';
import { appendEvent } from '../audit/index.ts';
import { dayMs } from '../credentials/index.ts';
import {
  deleteBrowser,
  findBrowser,
  insertBrowser,
  keepLatest,
  listBrowsers,
  type RememberedBrowser,
  useBrowser,
} from './store.ts';

export type BrowserDeps = { db: Db; now: () => Date };

const prefix = 'lk_rb_';
const shape = /^lk_rb_\w{20,80}$/;
/** More than a user signs in with; the earliest are deleted. */
const mostPerUser = 20;

/** The well-formed secrets in a browser's cookie. */
const secretsIn = (texts: readonly string[]) => texts.filter((text) => shape.test(text));

/**
 * Remembers the browser of a user who has just proven a second factor, and wants to skip it there.
 *
 * @param days for how long
 * @returns the secret for the browser, which is stored nowhere
 */
export async function rememberBrowser(
  { db, now }: BrowserDeps,
  origin: Origin,
  { user_id, user_epoch, days }: { user_id: string; user_epoch: number; days: number },
): Promise<string> {
  const secret = generateCredential(prefix);
  const created_at = now();
  const expires_at = new Date(created_at.getTime() + days * dayMs);
  const id = uuidv7();
  const user_agent = origin.user_agent ?? null;
  const times = { created_at, last_used_at: created_at, expires_at };
  await inTransaction(db, async (trx) => {
    await insertBrowser(trx, { id, user_id, user_epoch, digest: digest(secret), user_agent, ...times });
    await keepLatest(trx, user_id, mostPerUser);
    const target = { kind: 'user', id: user_id };
    const details = { browser_id: id, expires_at };
    const actor = person(user_id, origin);
    await appendEvent(trx, { actor, action: 'user.browser_remembered', target, details, occurred_at: created_at });
  });
  return secret;
}

/**
 * Whether a browser is remembered for a user, so that the password or provider is enough. A shorter time in the policy applies at once.
 *
 * @param secrets the secrets in the browser's cookie
 */
export async function isRememberedBrowser(
  { db, now }: BrowserDeps,
  { user_id, days, secrets }: { user_id: string; days: number; secrets: readonly string[] },
): Promise<boolean> {
  const digests = secretsIn(secrets).map((secret) => digest(secret));
  if (digests.length === 0 || days === 0) return false;
  return inTransaction(db, (trx) => useBrowser(trx, { user_id, digests }, windowOf(now(), days)));
}

/** The browsers that are remembered for a user, as `isRememberedBrowser` judges it, the latest first. */
export function listRememberedBrowsers(
  { db, now }: BrowserDeps,
  { user_id, days }: { user_id: string; days: number },
): Promise<RememberedBrowser[]> {
  return listBrowsers(db, user_id, windowOf(now(), days));
}

const windowOf = (now: Date, days: number) => ({ now, since: new Date(now.getTime() - days * dayMs) });

/** The browser that holds a secret, while it is remembered. */
export async function findBrowserBySecret({ db, now }: BrowserDeps, secret: string): Promise<string | undefined> {
  return shape.test(secret) ? findBrowser(db, digest(secret), now()) : undefined;
}

/** Forgets a browser of the actor. @throws Problem `not_found` */
export async function forgetBrowser(deps: BrowserDeps, actor: Actor & { id: string }, id: string): Promise<void> {
  await forget(deps, actor, { id, user_id: actor.id });
}

/** Forgets a browser of any user. @throws Problem `not_found` */
export async function forgetBrowserOfUser(deps: BrowserDeps, actor: Actor, id: string): Promise<void> {
  await forget(deps, actor, { id });
}

async function forget({ db, now }: BrowserDeps, actor: Actor, which: { id: string; user_id?: string }): Promise<void> {
  await inTransaction(db, async (trx) => {
    const user_id = await deleteBrowser(trx, which);
    if (user_id === undefined) throw notFound('browser', which.id);
    const target = { kind: 'user', id: user_id };
    const details = { browser_id: which.id };
    await appendEvent(trx, { actor, action: 'user.browser_forgotten', target, details, occurred_at: now() });
  });
}
