import type { Trx } from '../../platform/database/index.ts';
import type { NoticeEmail, SendEmail } from '../notifications/index.ts';
import { mailLanguageOf } from './language.ts';
import type { User } from './store.ts';

/** Set if there is a mail server. */
export type NoticeDeps = { sendEmail?: SendEmail | undefined };

/** Notifies a user by e-mail of a change of their account, if they have an address and there is a mail server. */
export async function notify(
  { sendEmail }: NoticeDeps,
  trx: Trx,
  user: User,
  { to = user.email, ...notice }: Pick<NoticeEmail, 'about' | 'at' | 'by' | 'link'> & { to?: string | null },
): Promise<void> {
  if (!sendEmail || to === null) return;
  const account = user.username;
  await sendEmail(trx, { kind: 'notice', to, language: mailLanguageOf(user), account, ...notice });
}
