import { Eta } from 'eta';
import { v7 as uuidv7 } from 'uuid';
import { z } from 'zod';
import { type Sealed, type SealedPlace, seal, unseal } from '../../platform/crypto/index.ts';
import type { Trx } from '../../platform/database/index.ts';
import type { JobHandler, Jobs } from '../../platform/jobs/index.ts';
import type { ServerKeys } from '../../platform/keys/index.ts';

/** A one-time link with which one person chooses a password. */
type LinkEmail = { kind: 'link'; to: string; url: string; expires_at: Date };

/** That a credential was found in public, where, and whether it still works. */
type LeakEmail = { kind: 'leak'; to: string; credential: string; found_at: string; still_works: boolean };

/** Queues a letter: it is sent if and only if the transaction commits. */
export type SendEmail = (trx: Trx, letter: LinkEmail | LeakEmail) => Promise<void>;

export type MailSettings = {
  /** smtp:// or smtps://, with user and password where it wants them. */
  url: string;
  from: string;
  /** What the installation is called. */
  name: string;
};

const timeoutMs = 20_000;

const StoredEmail = z.union([
  // Links were the only letters once, and said no kind.
  z.object({ kind: z.literal('link').default('link'), to: z.string(), url: z.string(), expires_at: z.coerce.date() }),
  z.object({
    ...{ kind: z.literal('leak'), to: z.string(), credential: z.string(), found_at: z.string() },
    still_works: z.boolean(),
  }),
]);
// A link opens an account: in the job's row letters stand sealed.
const StoredJob = z.object({ id: z.uuid(), key_id: z.int(), sealed: z.base64() });

/** Lets letters be mailed by a job; whoever holds the database reads none of them. */
export function emailQueue({ jobs, keys }: { jobs: Pick<Jobs, 'send'>; keys: ServerKeys }): SendEmail {
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
    const letter = StoredEmail.parse(JSON.parse(opened));
    // It would only disappoint.
    if (letter.kind === 'link' && letter.expires_at <= now()) return;
    const { from } = settings;
    const name = oneLine(settings.name);
    const said = letter.kind === 'link' ? linkEmail(name, letter) : leakEmail(name, letter);
    // As an object it is one address, whatever is in it.
    await (await transport).sendMail({ from, to: { name: '', address: letter.to }, ...said });
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
 * What somebody else chose, as part of one line of a letter: nothing in it begins a line or a header, hides, or turns the writing
 * round (CWE-93, CVE-2021-42574).
 */
function oneLine(text: string): string {
  const line = text.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+/gu, ' ').trim();
  return line.length > longestLine ? `${line.slice(0, longestLine)}…` : line;
}

type Words = { subject: string; text: string; html?: string };

/** Whose it is, the link, and until when it works. */
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

/** What leaked and where, whether it still works, and what to do. */
function leakEmail(name: string, { credential, found_at, still_works }: LeakEmail): Words {
  const now = still_works
    ? 'It still works, for that is what this server was told to do: end it, or have it ended, as soon as you can.'
    : 'It was ended at once, on every server: whatever used it needs a new one.';
  const records = 'An administrator finds in the access records what was done with it.';
  const text = `At ${name} this credential of yours was found in public:\n\n${oneLine(credential)}\n${oneLine(found_at)}\n\n${now}\n\n${records}\n`;
  return { subject: `A credential of yours at ${name} has leaked`, text };
}
