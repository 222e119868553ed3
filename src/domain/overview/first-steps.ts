import type { Db } from '../../platform/database/index.ts';
import { deleteHiddenHint, findHiddenHint, insertHiddenHint, readPresent } from './store.ts';

export const firstSteps = ['api', 'client', 'route', 'colleague', 'email'] as const;

export type FirstStep = { step: (typeof firstSteps)[number]; is_done: boolean };

/**
 * The first steps after setup, and which of them are done. A route counts as protected once its API has verified a key or token here.
 *
 * @param deps `sendEmail`: set if there is a mail server
 */
export async function readFirstSteps({ db, sendEmail }: { db: Db; sendEmail?: unknown }): Promise<FirstStep[]> {
  const present = { ...(await readPresent(db)), email: sendEmail !== undefined };
  return firstSteps.map((step) => ({ step, is_done: present[step] }));
}

const hint = 'first_steps';

/** Whether a person has hidden the list of first steps. */
export async function areFirstStepsHidden(db: Db, user_id: string): Promise<boolean> {
  return findHiddenHint(db, { user_id, hint });
}

/** Hides the list of first steps from a user. It only affects display: no event is recorded. */
export async function hideFirstSteps({ db, now }: { db: Db; now: () => Date }, user_id: string): Promise<void> {
  await insertHiddenHint(db, { user_id, hint, hidden_at: now() });
}

/** Shows the list again. */
export async function showFirstSteps({ db }: { db: Db }, user_id: string): Promise<void> {
  await deleteHiddenHint(db, { user_id, hint });
}
