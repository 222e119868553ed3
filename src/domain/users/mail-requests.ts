import { z } from 'zod';
import { type Db, inTransaction } from '../../platform/database/index.ts';
import type { Jobs } from '../../platform/jobs/index.ts';
import type { ServerKeys } from '../../platform/keys/index.ts';
import type { Refusals } from '../audit/index.ts';
import type { SendEmail } from '../notifications/index.ts';
import { mailRefusal } from './email-verification.ts';
import type { User } from './store.ts';
import type { Throttles } from './throttles.ts';

/**
 * Dependencies for requests for mail by people who are not signed in. A job looks up the login that they type, so that the response
 * reveals nothing about accounts.
 */
export type MailRequestDeps = { db: Db; now: () => Date; jobs: Pick<Jobs, 'send'>; keys: ServerKeys };

/** The dependencies of the job. */
export type MailRequestJobDeps = {
  db: Db;
  now: () => Date;
  keys: ServerKeys;
  issuer: string;
  throttles: Throttles;
  refusals: Refusals;
  sendEmail: SendEmail;
};

/** The payload of each job: the origin of the request, and its expiry. */
export const MailRequest = z.object({
  origin: z.object({
    address: z.string().optional(),
    user_agent: z.string().optional(),
    request_id: z.string().optional(),
  }),
  until: z.coerce.date(),
});

/** The user who gets the requested mail, counted at the limits of the account; or why no mail is sent. */
export async function judgeMailRequest(
  { db, now, throttles }: Pick<MailRequestJobDeps, 'db' | 'now' | 'throttles'>,
  user: User | undefined,
): Promise<{ user: User } | { reason: string }> {
  const refusal = await inTransaction(db, (trx) => mailRefusal(trx, user, now()));
  if (!user || refusal !== undefined) return { reason: refusal ?? 'unknown account' };
  return (await throttles.countRecovery(user.id)) === undefined ? { user } : { reason: 'throttled' };
}
