import { Eta } from 'eta';
import { v7 as uuidv7 } from 'uuid';
import { z } from 'zod';
import { type Sealed, type SealedPlace, seal, unseal } from '../../platform/crypto/index.ts';
import type { Trx } from '../../platform/database/index.ts';
import type { JobHandler, Jobs } from '../../platform/jobs/index.ts';
import type { ServerKeys } from '../../platform/keys/index.ts';

/** `language`: that of the recipient, where it is known. */
type Recipient = { to: string; language?: string | undefined };

/** A one-time link to choose a password. */
type LinkEmail = Recipient & { kind: 'link'; url: string; expires_at: Date };

/** Reports a credential that was found in public, where, and whether it is still active. */
type LeakEmail = Recipient & {
  kind: 'leak';
  credential: string;
  /** In each language. */
  credential_in?: Readonly<Record<string, string>> | undefined;
  found_at: string;
  still_works: boolean;
};

/** Queues an e-mail: it is sent if and only if the transaction commits. */
export type SendEmail = (trx: Trx, email: LinkEmail | LeakEmail) => Promise<void>;

export type MailSettings = {
  /** smtp:// or smtps://, with user and password where it wants them. */
  url: string;
  from: string;
  brand: MailBrand;
};

/** What the installation is called, and looks like. */
type MailBrand = {
  name: string;
  accent?: string | undefined;
  logo?: { content_type: string; bytes: Buffer } | undefined;
};

/** What e-mails say, in one language. */
export type MailTexts = {
  /** For the `lang` attribute (BCP 47). */
  tag: string;
  /** How `Intl` writes dates. */
  dates: string;
  mail: {
    linkSubject: (parts: { brand: string }) => string;
    link: (parts: { brand: string }) => string;
    linkUntil: (parts: { day: string; time: string }) => string;
    leakSubject: (parts: { brand: string }) => string;
    leak: (parts: { brand: string }) => string;
    leakActive: string;
    leakRevoked: string;
    leakRecords: string;
  };
};

const timeoutMs = 20_000;

const recipient = { to: z.string(), language: z.string().optional() };
const StoredEmail = z.union([
  // Jobs of older versions are links and have no kind.
  z.object({ ...recipient, kind: z.literal('link').default('link'), url: z.string(), expires_at: z.coerce.date() }),
  z.object({
    ...{ ...recipient, kind: z.literal('leak'), credential: z.string(), found_at: z.string() },
    // Jobs of older versions have the English name alone.
    credential_in: z.record(z.string(), z.string()).optional(),
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

/**
 * The job handler: sends one e-mail. Throws if the mail server refuses it, so that it is retried.
 *
 * @param textsIn the texts of a language; of the installation's own where a language is unknown
 */
export function sendMail(
  { keys, now, textsIn }: { keys: ServerKeys; now: () => Date; textsIn: (language: string | undefined) => MailTexts },
  settings: MailSettings,
): JobHandler {
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
    const texts = textsIn(email.language);
    const { from } = settings;
    const brand = { ...settings.brand, name: oneLine(settings.brand.name) };
    const said = email.kind === 'link' ? linkEmail(texts, brand, email) : leakEmail(texts, brand.name, email);
    // An object is always one address, whatever it contains.
    await (await transport).sendMail({ from, to: { name: '', address: email.to }, ...said });
  };
}

const placeOf = (id: string): SealedPlace => ['pgboss.job', 'mail', id];

const page = `<!doctype html>
<html lang="<%= it.tag %>">
<p style="color: <%= it.accent %>"><% if (it.logo) { %><img src="cid:logo" alt="" width="28" height="28" style="vertical-align: middle"> <% } %><strong><%= it.name %></strong></p>
<p><%= it.said %></p>
<p><a href="<%= it.url %>" style="color: <%= it.accent %>"><%= it.url %></a></p>
<p><%= it.until %></p>
</html>
`;

const defaultAccent = '#1f5f5b';
const longestLine = 600;

/**
 * Text from an untrusted source as part of one line of an e-mail: it cannot start a line or a header, hide characters, or reverse
 * the writing direction (CWE-93, CVE-2021-42574).
 */
function oneLine(text: string): string {
  const line = text.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+/gu, ' ').trim();
  return line.length > longestLine ? `${line.slice(0, longestLine)}…` : line;
}

type Attachment = { cid: string; content: Buffer; contentType: string };
type Words = { subject: string; text: string; html?: string; attachments?: Attachment[] };

/** Names the installation, the link and its expiry. */
function linkEmail({ tag, dates, mail }: MailTexts, brand: MailBrand, { url, expires_at }: LinkEmail): Words {
  const day = new Intl.DateTimeFormat(dates, { dateStyle: 'long', timeZone: 'UTC' }).format(expires_at);
  const clock = new Intl.DateTimeFormat(dates, { hour: '2-digit', minute: '2-digit', timeZone: 'UTC' });
  const until = mail.linkUntil({ day, time: clock.format(expires_at) });
  const { name, accent = defaultAccent, logo } = brand;
  const said = mail.link({ brand: name });
  return {
    subject: mail.linkSubject({ brand: name }),
    text: `${said}\n\n${url}\n\n${until}\n`,
    html: new Eta().renderString(page, { tag, name, accent, logo, said, url, until }),
    // Inside the e-mail: readers of mail fetch nothing, and nobody learns that it was opened.
    ...(logo && { attachments: [{ cid: 'logo', content: logo.bytes, contentType: logo.content_type }] }),
  };
}

/** Says what leaked and where, whether it is still active, and what to do. */
function leakEmail({ tag, mail }: MailTexts, brand: string, email: LeakEmail): Words {
  const { credential, credential_in, found_at, still_works } = email;
  const what = `${oneLine(credential_in?.[tag] ?? credential)}\n${oneLine(found_at)}`;
  const state = still_works ? mail.leakActive : mail.leakRevoked;
  const text = `${mail.leak({ brand })}\n\n${what}\n\n${state}\n\n${mail.leakRecords}\n`;
  return { subject: mail.leakSubject({ brand }), text };
}
