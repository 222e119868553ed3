import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Eta } from 'eta/core';
import { programFile } from '../../platform/program/index.ts';
import { assetPath } from './assets.ts';
import { textsOf } from './languages/languages.ts';
import { bdi, escaped, link, Markup, rich, strong } from './languages/markup.ts';
import { type PageChrome, type PageData, pagePaths } from './page-data.ts';
import { calendarDay, exactTime, relativeTime } from './times.ts';
import { counted, figure } from './words.ts';

const templates: Readonly<Record<keyof PageData, string>> = {
  setup: '@setup/setup',
  'sign-in': '@sign-in/sign-in',
  'second-step': '@sign-in/second-step',
  'email-code': '@sign-in/email-code',
  'enrolment-required': '@sign-in/enrolment-required',
  enrolment: '@sign-in/enrolment',
  'select-account': '@sign-in/select-account',
  consent: '@consent/consent',
  'sign-out': '@sign-out/sign-out',
  'signed-out': '@sign-out/signed-out',
  error: '@error/error',
  account: '@account/account',
  'change-password': '@account/change-password',
  'choose-password': '@account/choose-password',
  'password-changed': '@account/password-changed',
  'mail-language': '@account/mail-language',
  'connected-apps': '@account/connected-apps',
  'revoke-access': '@account/revoke-access',
  sessions: '@account/sessions',
  'sign-out-session': '@account/sign-out-session',
  'sign-out-others': '@account/sign-out-others',
  activity: '@account/activity',
  'own-data': '@account/own-data',
  'own-key-list': '@account/key-list',
  'own-key': '@account/key',
  'own-account-action': '@account/own-action',
  'email-link': '@account/email-link',
  'own-key-action': '@account/key-action',
  'own-key-made': '@account/key-made',
  'own-security': '@account/security',
  'own-security-action': '@account/security-action',
  'own-security-made': '@account/security-made',
  'device-enter': '@device/enter',
  'device-confirm': '@device/confirm',
  'device-ready': '@device/ready',
  'device-show': '@device/show',
  home: '@home/home',
  'docs-page': '@docs/page',
  'docs-search': '@docs/search',
  reference: '@reference/reference',
  'reference-group': '@reference/group',
  'demo-home': '@demo/home',
  'demo-tokens': '@demo/tokens',
  'console-home': '@console/home',
  'console-list': '@console/list',
  'console-detail': '@console/detail',
  'console-action': '@console/action',
  'console-made': '@console/made',
  'console-explain-access': '@console/explain-access',
  'console-search': '@console/search',
  'console-settings': '@console/settings',
  'forgot-password': '@sign-in/forgot-password',
  'sign-up': '@sign-in/sign-up',
  'new-account': '@sign-in/new-account',
};

const views = compileViews(programFile('views'));

/**
 * A whole HTML page. Every value is escaped, except `form_html` of the page `sign-out`, which is the
 * provider's markup, and `content` of a page of the docs.
 * Templates are compiled when this module is loaded: a broken one stops the start, not a request.
 */
export function renderPage<K extends keyof PageData>(page: K, data: PageData[K], chrome: PageChrome): string {
  const texts = textsOf(chrome.language);
  return views.render(templates[page], {
    ...data,
    chrome,
    t: texts,
    paths: pagePaths,
    assetPath,
    calendarDay: (at: Date) => calendarDay(at, texts),
    exactTime: (at: Date) => exactTime(at, texts),
    relativeTime: (at: Date) => relativeTime(at, chrome.now, texts),
    counted,
    figure: (value: number) => figure(value, texts.tag),
    monogram,
    ...{ bdi, escaped, link, Markup, rich, strong },
  });
}

function compileViews(folder: string): Eta {
  const escapeFunction = (value: unknown) => escaped(String(value));
  const eta = new Eta({ autoEscape: true, rmWhitespace: false, escapeFunction });
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.eta')) continue;
    const name = file.slice(0, -'.eta'.length).replaceAll('\\', '/');
    eta.loadTemplate(`@${name}`, readFileSync(join(folder, file), 'utf8'));
  }
  for (const [page, template] of Object.entries(templates)) {
    if (!eta.templatesSync.get(template)) throw new Error(`The page ${page} has no template ${template}.`);
  }
  return eta;
}

/** Up to two initials (of an e-mail address: of what precedes the @), to tell rows apart at a glance. */
function monogram(name: string): string {
  const words = (name.split('@')[0] ?? '').split(/[^\p{L}\p{N}]+/u).filter(Boolean);
  return (
    [words[0], words[1]]
      .map((word) => Array.from(word ?? '')[0] ?? '')
      .join('')
      .toUpperCase() || '?'
  );
}
