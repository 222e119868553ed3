import { type Db, inTransaction } from '../../platform/database/index.ts';
import { type Actor, conflict } from '../../platform/http/index.ts';
import { appendEvent } from '../audit/index.ts';
import type { Mailer } from '../notifications/index.ts';
import { findUserById, mailLanguageOf } from '../users/index.ts';

/** `mailer`: set if there is a mail server. */
export type TestMailDeps = { db: Db; now: () => Date; mailer?: Mailer | undefined };

export type TestMailResult = { mailed_to: string; accepted: boolean; answer: string };

const longestAnswer = 300;

/**
 * Sends a test e-mail to the actor at once, and returns the response of the mail server.
 *
 * @throws Problem `conflict`: there is no mail server, or the actor is no user with an e-mail address
 */
export async function sendTestMail({ db, now, mailer }: TestMailDeps, actor: Actor): Promise<TestMailResult> {
  if (!mailer) throw conflict('No mail server is configured. Set LATCHKEY_SMTP_URL and LATCHKEY_MAIL_FROM.');
  const user = actor.kind === 'user' && actor.id ? await findUserById(db, actor.id) : undefined;
  if (!user?.email) throw conflict('A test e-mail is sent to you: sign in as a user with an e-mail address.');
  const at = now();
  const test = { kind: 'notice', about: 'test', account: user.username, at } as const;
  const sent = await mailer.send({ ...test, to: user.email, language: mailLanguageOf(user) }).then(accepted, refused);
  await inTransaction(db, (trx) =>
    appendEvent(trx, {
      actor,
      action: 'mail.tested',
      target: { kind: 'user', id: user.id },
      outcome: sent.accepted ? 'success' : 'failure',
      occurred_at: now(),
    }),
  );
  return { mailed_to: user.email, ...sent };
}

const accepted = (answer: string) => ({ accepted: true, answer: answer.slice(0, longestAnswer) });

const refused = (error: unknown) => ({
  accepted: false,
  answer: (error instanceof Error ? error.message : String(error)).slice(0, longestAnswer),
});
