import { type Db, inTransaction } from '../../platform/database/index.ts';
import { type Actor, notFound } from '../../platform/http/index.ts';
import type { Language } from '../../platform/languages/index.ts';
import { appendEvent } from '../audit/index.ts';
import { lockUserById, type User, updateUser } from './store.ts';

/** The language of mail to a user; undefined: that of the installation. */
export function mailLanguageOf({ language, browser_language }: Partial<Pick<User, 'language' | 'browser_language'>>) {
  return language ?? browser_language ?? undefined;
}

/**
 * Sets the language of mail to a user; null: that of the pages on which they last signed in.
 *
 * @throws Problem `not_found`
 */
export async function chooseLanguage(
  { db, now }: { db: Db; now: () => Date },
  actor: Actor,
  { user_id, language }: { user_id: string; language: Language | null },
): Promise<void> {
  await inTransaction(db, async (trx) => {
    const user = await lockUserById(trx, user_id);
    if (!user) throw notFound('user', user_id);
    if (user.language === language) return;
    const occurred_at = now();
    await updateUser(trx, user_id, { language, updated_at: occurred_at });
    const target = { kind: 'user', id: user_id };
    const details = { changed: ['language'], enabled: user.enabled };
    await appendEvent(trx, { actor, action: 'user.updated', target, details, occurred_at });
  });
}
