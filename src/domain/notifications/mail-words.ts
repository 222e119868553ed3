import { Eta } from 'eta';
import type { Email, LinkTopic, NoticeEmail, NoticeTopic } from './email.ts';

/** The name and appearance of the installation. */
export type MailBrand = {
  name: string;
  accent?: string | undefined;
  logo?: { content_type: string; bytes: Buffer } | undefined;
};

/** The words of one topic. */
type TopicTexts<Parts> = { subject: (parts: { brand: string }) => string; text: (parts: Parts) => string };

type NoticeParts = Record<'brand' | 'account' | 'day' | 'time' | 'address' | 'browser', string>;

/** The texts of e-mails in one language. */
export type MailTexts = {
  /** For the `lang` attribute (BCP 47). */
  tag: string;
  /** How `Intl` writes dates. */
  dates: string;
  mail: {
    links: Readonly<Record<LinkTopic, TopicTexts<{ brand: string }>>>;
    linkUntil: (parts: { day: string; time: string }) => string;
    signInCode: TopicTexts<{ brand: string; code: string; time: string }>;
    notices: Readonly<Record<NoticeTopic, TopicTexts<NoticeParts>>>;
    leakSubject: (parts: { brand: string }) => string;
    leak: (parts: { brand: string }) => string;
    leakActive: string;
    leakRevoked: string;
    leakRecords: string;
  };
};

const page = `<!doctype html>
<html lang="<%= it.tag %>">
<p style="color: <%= it.accent %>"><% if (it.logo) { %><img src="cid:logo" alt="" width="28" height="28" style="vertical-align: middle"> <% } %><strong><%= it.name %></strong></p>
<p><%= it.said %></p>
<% if (it.url) { %>
<p><a href="<%= it.url %>" style="color: <%= it.accent %>"><%= it.url %></a></p>
<p><%= it.until %></p>
<% } %>
</html>
`;

const defaultAccent = '#1f5f5b';
const longestLine = 600;

/**
 * Makes text from an untrusted source safe for one line of an e-mail: it cannot start a line or a header, hide characters, or reverse
 * the writing direction (CWE-93, CVE-2021-42574).
 */
export function oneLine(text: string): string {
  const line = text.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+/gu, ' ').trim();
  return line.length > longestLine ? `${line.slice(0, longestLine)}…` : line;
}

type Attachment = { cid: string; content: Buffer; contentType: string };
type Words = { subject: string; text: string; html?: string; attachments?: Attachment[] };

/** The content of an e-mail: its subject, its text, and HTML if it may have a link. */
export function wordsOf(email: Email, texts: MailTexts, brand: MailBrand): Words {
  const { mail } = texts;
  if (email.kind === 'leak') return leakWords(texts, brand.name, email);
  if (email.kind === 'code') {
    const parts = { brand: brand.name, code: email.code, ...dayAndTime(texts, email.expires_at) };
    return withLink(texts, brand, { subject: mail.signInCode.subject(parts), said: mail.signInCode.text(parts) });
  }
  if (email.kind === 'link') {
    const { subject, text } = mail.links[email.about ?? 'choose_password'];
    const said = text({ brand: brand.name });
    return withLink(texts, brand, { subject: subject({ brand: brand.name }), said, link: email });
  }
  return noticeWords(texts, brand, email);
}

function noticeWords(texts: MailTexts, brand: MailBrand, { about, account, at, by, link }: NoticeEmail): Words {
  const { subject, text } = texts.mail.notices[about];
  const place = { address: by?.address ?? '', browser: oneLine(by?.browser ?? '') };
  const said = text({ brand: brand.name, account: oneLine(account), ...place, ...dayAndTime(texts, at) });
  return withLink(texts, brand, { subject: subject({ brand: brand.name }), said, link });
}

type Said = { subject: string; said: string; link?: { url: string; expires_at: Date } | undefined };

/** Adds the name of the installation and, if there is one, the link and its expiry. */
function withLink(texts: MailTexts, brand: MailBrand, { subject, said, link }: Said): Words {
  const { name, accent = defaultAccent, logo } = brand;
  const until = link && texts.mail.linkUntil(dayAndTime(texts, link.expires_at));
  const parts = link ? [said, link.url, until] : [said];
  return {
    subject,
    text: `${parts.join('\n\n')}\n`,
    html: new Eta().renderString(page, { tag: texts.tag, name, accent, logo, said, url: link?.url, until }),
    // Inside the e-mail: mail clients fetch nothing, so no one learns that it was opened.
    ...(logo && { attachments: [{ cid: 'logo', content: logo.bytes, contentType: logo.content_type }] }),
  };
}

function dayAndTime({ dates }: MailTexts, at: Date): { day: string; time: string } {
  const clock = new Intl.DateTimeFormat(dates, { hour: '2-digit', minute: '2-digit', timeZone: 'UTC' });
  const day = new Intl.DateTimeFormat(dates, { dateStyle: 'long', timeZone: 'UTC' }).format(at);
  return { day, time: clock.format(at) };
}

/** Says what leaked and where, whether it is still active, and what to do. */
function leakWords({ tag, mail }: MailTexts, brand: string, email: Extract<Email, { kind: 'leak' }>): Words {
  const { credential, credential_in, found_at, still_works } = email;
  const what = `${oneLine(credential_in?.[tag] ?? credential)}\n${oneLine(found_at)}`;
  const state = still_works ? mail.leakActive : mail.leakRevoked;
  const text = `${mail.leak({ brand })}\n\n${what}\n\n${state}\n\n${mail.leakRecords}\n`;
  return { subject: mail.leakSubject({ brand }), text };
}
