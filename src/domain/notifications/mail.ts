import { z } from 'zod';
import { once } from '../../platform/caching/index.ts';
import type { Trx } from '../../platform/database/index.ts';
import type { JobHandler, Jobs } from '../../platform/jobs/index.ts';
import { openJob, type ServerKeys, sealJob } from '../../platform/keys/index.ts';
import { type Email, linkTopics, noticeTopics } from './email.ts';
import { type MailBrand, type MailTexts, oneLine, wordsOf } from './mail-words.ts';

/** Queues an e-mail: it is sent if and only if the transaction commits. */
export type SendEmail = (trx: Trx, email: Email) => Promise<void>;

export type MailSettings = {
  /** smtp:// or smtps://, with user and password if the server requires them. */
  url: string;
  from: string;
  brand: MailBrand;
};

const recipient = { to: z.string(), language: z.string().optional() };
const link = { url: z.string(), expires_at: z.coerce.date() };
const StoredEmail = z.union([
  z.object({
    ...{ ...recipient, kind: z.literal('notice'), about: z.enum(noticeTopics), account: z.string() },
    ...{ at: z.coerce.date(), link: z.object(link).optional() },
    by: z.object({ address: z.string(), browser: z.string() }).optional(),
  }),
  // Jobs of older versions are links and have no kind or topic.
  z.object({
    ...{ ...recipient, ...link, kind: z.literal('link').default('link') },
    about: z.enum(linkTopics).default('choose_password'),
  }),
  z.object({ ...recipient, kind: z.literal('code'), code: z.string(), expires_at: z.coerce.date() }),
  z.object({
    ...{ ...recipient, kind: z.literal('leak'), credential: z.string(), found_at: z.string() },
    // Jobs of older versions have only the English name.
    credential_in: z.record(z.string(), z.string()).optional(),
    still_works: z.boolean(),
  }),
]);

/** Queues e-mails as sealed jobs, so that a reader of the database cannot read their links, which grant access to accounts. */
export function emailQueue({ jobs, keys }: { jobs: Pick<Jobs, 'send'>; keys: ServerKeys }): SendEmail {
  return (trx, email) => jobs.send(trx, 'mail', sealJob(keys, 'mail', email));
}

/** Hands e-mails to the mail server. */
export type Mailer = {
  /**
   * Hands over one e-mail.
   *
   * @returns the response of the mail server
   * @throws if it cannot be reached or refuses the e-mail
   */
  send: (email: Email) => Promise<string>;
};

/** @param textsIn the texts of a language; for an unknown language, those of the installation */
export function openMailer(
  settings: MailSettings,
  { textsIn, timeoutMs }: { textsIn: (language: string | undefined) => MailTexts; timeoutMs: number },
): Mailer {
  const timeouts = { connectionTimeout: timeoutMs, greetingTimeout: timeoutMs, socketTimeout: timeoutMs };
  const brand = { ...settings.brand, name: oneLine(settings.brand.name) };
  // Loaded with the first e-mail: it would take a tenth of the time of a start.
  const open = once(() =>
    import('nodemailer').then(({ createTransport }) => createTransport({ url: settings.url, ...timeouts })),
  );
  return {
    send: async (email) => {
      const transport = await open();
      const said = wordsOf(email, textsIn(email.language), brand);
      // An object always means one address, whatever it contains.
      const { response } = await transport.sendMail({
        from: settings.from,
        to: { name: '', address: email.to },
        ...said,
      });
      return response;
    },
  };
}

/** The job handler: sends one e-mail. Throws if the mail server refuses it, so that it is retried. */
export function sendMail({ keys, now }: { keys: ServerKeys; now: () => Date }, mailer: Mailer): JobHandler {
  return async (data) => {
    const email = StoredEmail.parse(await openJob(keys, 'mail', data));
    // An expired link or code is of no use.
    if ((email.kind === 'link' || email.kind === 'code') && email.expires_at <= now()) return;
    await mailer.send(email);
  };
}
