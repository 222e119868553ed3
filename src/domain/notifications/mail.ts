import { Eta } from 'eta';
import { v7 as uuidv7 } from 'uuid';
import { z } from 'zod';
import { type Sealed, type SealedPlace, seal, unseal } from '../../platform/crypto/index.ts';
import type { Trx } from '../../platform/database/index.ts';
import type { JobHandler, Jobs } from '../../platform/jobs/index.ts';
import type { ServerKeys } from '../../platform/keys/index.ts';

/** A one-time link to choose a password. */
type LinkEmail = { kind: 'link'; to: string; url: string; expires_at: Date };

/** Reports a credential that was found in public, where, and whether it is still active. */
type LeakEmail = { kind: 'leak'; to: string; credential: string; found_at: string; still_works: boolean };

/** Queues an e-mail: it is sent if and only if the transaction commits. */
export type SendEmail = (trx: Trx, email: LinkEmail | LeakEmail) => Promise<void>;

export type MailSettings = {
  /** smtp:// or smtps://, with user and password where it wants them. */
  url: string;
  from: string;
  /** What the installation is called. */
  name: string;
};

const timeoutMs = 20_000;

const StoredEmail = z.union([
  // Jobs of older versions are links and have no kind.
  z.object({ kind: z.literal('link').default('link'), to: z.string(), url: z.string(), expires_at: z.coerce.date() }),
  z.object({
    ...{ kind: z.literal('leak'), to: z.string(), credential: z.string(), found_at: z.string() },
    still_works: z.boolean(),
  }),
]);
// A link grants access to an account, so the job's row holds the e-mail sealed.
const StoredJob = z.object({ id: z.uuid(), key_id: z.int(), sealed: z.base64() });

/** Queues e-mails as sealed jobs: a reader of the database cannot read them. */
export function emailQueue({ jobs, keys }: { jobs: Pick<Jobs, 'send'>; keys: ServerKeys }): SendEmail {
  return async (trx, email) => {
    const id = uuidv7();
    const { id: key_id, key } = keys.current('mail');
    const sealed = seal(key, placeOf(id), JSON.stringify(email)).toString('base64');
    await jobs.send(trx, 'mail', { id, key_id, sealed });
  };
}

/** The job handler: sends one e-mail. Throws if the mail server refuses it, so that it is retried. */
export function sendMail({ keys, now }: { keys: ServerKeys; now: () => Date }, settings: MailSettings): JobHandler {
  const timeouts = { connectionTimeout: timeoutMs, greetingTimeout: timeoutMs, socketTimeout: timeoutMs };
  // Loaded where there is a mail server: it is a tenth of what a start takes.
  const transport = import('nodemailer').then(({ createTransport }) =>
    createTransport({ url: settings.url, ...timeouts }),
  );
  return async (data) => {
    const { id, key_id, sealed } = StoredJob.parse(data);
    await keys.ensure([key_id]);
    const key = keys.find(key_id)?.key;
    if (!key) throw new Error(`no server key ${key_id}`);
    const opened = unseal(key, placeOf(id), Buffer.from(sealed, 'base64') as Sealed).toString();
    const email = StoredEmail.parse(JSON.parse(opened));
    // An expired link is of no use.
    if (email.kind === 'link' && email.expires_at <= now()) return;
    const { from } = settings;
    const name = oneLine(settings.name);
    const said = email.kind === 'link' ? linkEmail(name, email) : leakEmail(name, email);
    // An object is always one address, whatever it contains.
    await (await transport).sendMail({ from, to: { name: '', address: email.to }, ...said });
  };
}

const placeOf = (id: string): SealedPlace => ['pgboss.job', 'mail', id];

const page = `<!doctype html>
<html lang="en">
<p>Choose your password for <%= it.name %>:</p>
<p><a href="<%= it.url %>"><%= it.url %></a></p>
<p><%= it.until %></p>
</html>
`;

const longestLine = 600;

/**
 * Text from an untrusted source as part of one line of an e-mail: it cannot start a line or a header, hide characters, or reverse
 * the writing direction (CWE-93, CVE-2021-42574).
 */
function oneLine(text: string): string {
  const line = text.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+/gu, ' ').trim();
  return line.length > longestLine ? `${line.slice(0, longestLine)}…` : line;
}

type Words = { subject: string; text: string; html?: string };

/** Names the installation, the link and its expiry. */
function linkEmail(name: string, { url, expires_at }: LinkEmail): Words {
  const day = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeZone: 'UTC' });
  const minute = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', timeZone: 'UTC' });
  const until = `The link works once, until ${day.format(expires_at)}, ${minute.format(expires_at)} UTC.`;
  const text = `Choose your password for ${name}:\n\n${url}\n\n${until}\n`;
  return {
    subject: `Choose your password for ${name}`,
    text,
    html: new Eta().renderString(page, { name, url, until }),
  };
}

/** Says what leaked and where, whether it is still active, and what to do. */
function leakEmail(name: string, { credential, found_at, still_works }: LeakEmail): Words {
  const now = still_works
    ? 'It is still active, because this server is configured to report leaks only. Revoke it, or ask an administrator to revoke it, as soon as you can.'
    : 'It has been revoked. Replace it wherever it was used.';
  const records = 'An administrator can see in the access records how it was used.';
  const text = `A credential that you own at ${name} was found in public:\n\n${oneLine(credential)}\n${oneLine(found_at)}\n\n${now}\n\n${records}\n`;
  return { subject: `Your credential at ${name} was leaked`, text };
}
