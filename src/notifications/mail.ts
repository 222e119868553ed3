import { Eta } from 'eta';
import { createTransport } from 'nodemailer';
import { v7 as uuidv7 } from 'uuid';
import { z } from 'zod';
import { type Sealed, type SealedPlace, seal, unseal } from '../platform/crypto/index.ts';
import type { Trx } from '../platform/database/index.ts';
import type { JobHandler, Jobs } from '../platform/jobs/index.ts';
import type { ServerKeys } from '../platform/keys/index.ts';

/** A one-time link for one person. */
export type LinkLetter = { to: string; url: string; expires_at: Date };

/** Queues a letter: it is sent if and only if the transaction commits. */
export type MailLink = (trx: Trx, letter: LinkLetter) => Promise<void>;

export type MailSettings = {
  /** smtp:// or smtps://, with user and password where it wants them. */
  url: string;
  from: string;
  /** What the installation is called. */
  name: string;
};

const timeoutMs = 20_000;

const StoredLetter = z.object({ to: z.string(), url: z.string(), expires_at: z.coerce.date() });
// The link opens an account: in the job's row it stands sealed.
const StoredJob = z.object({ id: z.uuid(), key_id: z.int(), sealed: z.base64() });

/** Lets links be mailed by a job; whoever holds the database reads none of them. */
export function mailLinks({ jobs, keys }: { jobs: Jobs; keys: ServerKeys }): MailLink {
  return async (trx, letter) => {
    const id = uuidv7();
    const { id: key_id, key } = keys.current('mail');
    const sealed = seal(key, placeOf(id), JSON.stringify(letter)).toString('base64');
    await jobs.send(trx, 'mail', { id, key_id, sealed });
  };
}

/** The worker: one letter. Throws where the mail server did not take it, so that it is tried again. */
export function sendMail({ keys, now }: { keys: ServerKeys; now: () => Date }, settings: MailSettings): JobHandler {
  const timeouts = { connectionTimeout: timeoutMs, greetingTimeout: timeoutMs, socketTimeout: timeoutMs };
  const transport = createTransport({ url: settings.url, ...timeouts });
  return async (data) => {
    const { id, key_id, sealed } = StoredJob.parse(data);
    await keys.ensure([key_id]);
    const key = keys.find(key_id)?.key;
    if (!key) throw new Error(`no server key ${key_id}`);
    const opened = unseal(key, placeOf(id), Buffer.from(sealed, 'base64') as Sealed).toString();
    const letter = StoredLetter.parse(JSON.parse(opened));
    // It would only disappoint.
    if (letter.expires_at <= now()) return;
    await transport.sendMail({ from: settings.from, to: letter.to, ...linkLetter(settings.name, letter) });
  };
}

const placeOf = (id: string): SealedPlace => ['pgboss.job', 'mail', id];

const day = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeZone: 'UTC' });
const minute = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', timeZone: 'UTC' });
const pages = new Eta();
const page = `<!doctype html>
<html lang="en">
<p>Choose your password for <%= it.name %>:</p>
<p><a href="<%= it.url %>"><%= it.url %></a></p>
<p><%= it.until %></p>
</html>
`;

/** What a letter says: whose it is, the link, and until when it works. */
function linkLetter(name: string, { url, expires_at }: LinkLetter): { subject: string; text: string; html: string } {
  const until = `The link works once, until ${day.format(expires_at)}, ${minute.format(expires_at)} UTC.`;
  const text = `Choose your password for ${name}:\n\n${url}\n\n${until}\n`;
  return { subject: `Choose your password for ${name}`, text, html: pages.renderString(page, { name, url, until }) };
}
