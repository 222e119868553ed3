import { type Db, inTransaction } from '../../platform/database/index.ts';
import { type Origin, person } from '../../platform/http/index.ts';
import { appendEvent } from '../audit/index.ts';
import { type NoticeDeps, notify } from './notices.ts';
import { findUserById } from './store.ts';

/**
 * Records that a user signed in with a browser for the first time, and tells them by e-mail: the thief of a password uses another browser.
 *
 * @param browser its name, in words
 */
export async function noteNewBrowser(
  deps: NoticeDeps & { db: Db; now: () => Date },
  origin: Origin,
  { user_id, browser }: { user_id: string; browser: string },
): Promise<void> {
  await inTransaction(deps.db, async (trx) => {
    const at = deps.now();
    const target = { kind: 'user', id: user_id };
    await appendEvent(trx, { actor: person(user_id, origin), action: 'user.new_browser', target, occurred_at: at });
    const user = deps.sendEmail && (await findUserById(trx, user_id));
    if (user)
      await notify(deps, trx, user, { about: 'new_browser', at, by: { address: origin.address ?? '', browser } });
  });
}
