import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import type { Operation } from '../../../src/entrypoints/admin/index.ts';
import { assetPath, findAsset } from '../../../src/entrypoints/pages/assets.ts';
import type { NavItem } from '../../../src/entrypoints/pages/console/page-data.ts';
import { Markup } from '../../../src/entrypoints/pages/languages/markup.ts';
import type { PageChrome, PageData } from '../../../src/entrypoints/pages/page-data.ts';
import { renderPage } from '../../../src/entrypoints/pages/render.ts';
import { leastOfConsole, mostOfConsole, ownKeyPages } from '../../support/console-samples.ts';

const now = new Date('2026-11-24T12:00:00Z');
const hostile = `<script>alert(1)</script>"'><img src=x onerror=alert(2)>`;
const chrome: PageChrome = { brand: { name: 'Acme' }, language: 'en', request_id: 'request-1', now };
const section: NavItem = { section: 'clients', label: 'Clients', group: 'Applications', icon: 'client' };
/** Pages of the console are shown only to people who are signed in. */
const chromeOf = (page: keyof PageData): PageChrome =>
  page.startsWith('console-') ? { ...chrome, signed_in_as: 'alice', sections: [section] } : chrome;
const hostileChrome: PageChrome = {
  sections: [{ ...section, label: hostile }],
  section: 'clients',
  brand: { name: hostile },
  language: 'en',
  request_id: hostile,
  signed_in_as: hostile,
  now,
};
const form = { csrf: 'token', action: '/here' };

const session = {
  uid: 'uid',
  device: 'Firefox on Linux',
  address: null,
  signed_in_at: now,
  last_seen_at: now,
  is_this_one: true,
  apps: [],
  lasting_apps: [],
};

const minimal: PageData = {
  setup: { ...form, values: {}, errors: {} },
  'sign-in': {
    ...form,
    ...{
      login: '',
      forgot_password: '/forgot-password',
      sign_up: undefined,
      passkey: undefined,
      providers: [],
      has_home_realms: false,
      has_password: false,
      has_email_code: false,
    },
  },
  'forgot-password': { ...form, login: '', sign_in: '/sign-in', state: 'form' },
  'sign-up': { ...form, email: '', sign_in: '/sign-in', is_sent: false },
  'new-account': { ...form, email: 'alice@example.com', values: { username: 'alice', name: '' }, errors: {} },
  'second-step': {
    ...form,
    pending: 'sealed',
    has_code: false,
    takes_code: false,
    remember_days: undefined,
    passkey: undefined,
  },
  'email-code': { ...form, mailed: 'sealed', again: '/sign-in' },
  'enrolment-required': { ...form, enrolment: 'sealed', state: 'offer', is_passkey_only: false },
  enrolment: {
    ...{ ...form, errors: {}, account_name: 'alice@example.com', username: 'alice', pending: 'sealed', key: 'ABCD' },
    ...{ has_password: false, must_sign_in: false },
    passkey: '{}',
    picture: '<svg></svg>',
  },
  'select-account': {
    ...form,
    switch_account_action: '/switch',
    client_name: 'Inbox Assistant',
    account: { name: 'Alice Example', login: 'alice@example.com' },
  },
  consent: {
    ...form,
    client_name: 'Shop',
    client_id: 'shop',
    also_allowed: [],
    signed_in_as: 'alice',
    switch_account_action: '/switch',
    groups: [],
    return_host: 'shop.example',
    provenance: undefined,
    is_impersonable: false,
    return_is_loopback: false,
    lasts_until: null,
  },
  'sign-out': {},
  'signed-out': {},
  error: { heading: 'There is nothing here', message: 'Check the address.', status: 404 },
  account: { name: 'Alice', email: 'alice@example.com', administers: false },
  'change-password': { ...form, errors: {}, username: 'alice', proof: undefined },
  'choose-password': { ...form, errors: {}, account_name: 'alice@example.com', username: 'alice' },
  'password-changed': { ended_sessions: 0, ended_apps: 0 },
  'mail-language': { ...form, chosen: '', options: [], automatic: 'English' },
  'connected-apps': { csrf: 'token', apps: [], q: '', sort: 'name', page: 1, pages: 1, total: 0 },
  'revoke-access': {
    ...form,
    client_name: 'Shop',
    provenance: undefined,
    refresh_families: 0,
    access_tokens: 0,
    sessions: 0,
  },
  sessions: { sessions: [session], total: 1, page: 1, pages: 1 },
  'sign-out-session': { ...form, session },
  'sign-out-others': { ...form, sessions: 1, apps: 0, lasting: 0 },
  activity: { events: [], older: undefined, is_first: true },
  'own-data': form,
  'device-enter': { action: '/device', xsrf: 'token', user_code: '' },
  'device-confirm': { action: '/device', xsrf: 'token', user_code: 'BCDF-GHJK', client_name: 'TV' },
  'device-ready': {},
  'device-show': { user_code: 'BCDF-GHJK', qr_path: '/device-code/qr.svg', address: 'id.example.com/device' },
  'docs-page': { title: 'Guide', content: new Markup('<h1>Guide</h1>'), headings: [], is_first: true },
  'docs-search': { q: '', found: [] },
  reference: { issuer: 'https://id.example.com', audience: 'https://id.example.com/admin', q: '', groups: [] },
  'reference-group': { audience: 'https://id.example.com/admin', names: [], group: { name: 'users', operations: [] } },
  home: { issuer: 'https://id.example.com', setup_needed: true, demo: false, administers: false, version: '0.1.0' },
  'demo-home': { csrf: 'token', signed_in: false },
  'demo-tokens': { csrf: 'token', id_token_claims: {}, userinfo: {}, api_answer: null, refreshed: 0 },
  'email-link': { ...form, email: 'alice@example.com', state: 'confirm' },
  ...leastOfConsole,
  ...ownKeyPages(leastOfConsole),
};

const asked = {
  name: hostile,
  value: hostile,
  description: hostile,
  optional: true,
  sensitive: true,
  is_new: true,
  already_allowed: true,
};
const allowed = [
  { service_name: null, scopes: [] },
  { service_name: hostile, scopes: [{ name: hostile, description: hostile, sensitive: true }] },
];
const app = {
  consent_id: hostile,
  client_name: hostile,
  provenance: { by: 'itself', returns_to: [hostile] } as const,
  allowed_at: now,
  last_used_at: now,
  expires_at: now,
  groups: allowed,
};
const names = [hostile, hostile];
const named = { uid: hostile, device: hostile, address: hostile, apps: names, lasting_apps: names };
const stranger = { ...session, ...named, is_this_one: false };
const hostileForm = { csrf: hostile, action: hostile };
const claims = { [hostile]: hostile, exp: 1e300, iat: 1_795_000_000, nested: { [hostile]: [hostile] }, none: null };
const errors = {
  username: hostile,
  email: hostile,
  name: hostile,
  password: hostile,
  password_repeated: hostile,
  current_password: hostile,
  form: hostile,
};

const member = { name: hostile, level: 1, type: hostile, is_required: true, is_deprecated: true, description: hostile };
const operation: Operation = {
  id: hostile,
  method: hostile,
  path: hostile,
  summary: hostile,
  permission: hostile,
  command: hostile,
  parameters: [member],
  query: [member],
  body: [member],
  answers: [member],
  status: 200,
  curl: hostile,
  request_example: hostile,
  response_example: hostile,
};

const maximal: PageData = {
  setup: {
    ...hostileForm,
    values: { username: hostile, email: hostile, name: hostile },
    errors,
  },
  'select-account': {
    ...hostileForm,
    switch_account_action: hostile,
    client_name: hostile,
    account: { name: hostile, login: hostile },
  },
  'sign-in': {
    ...hostileForm,
    client_name: hostile,
    login: hostile,
    error: hostile,
    notice: hostile,
    cancel: true,
    passkey: hostile,
    forgot_password: hostile,
    sign_up: hostile,
    connect: hostile,
    providers: [{ label: hostile, href: hostile }],
    has_home_realms: true,
    has_password: true,
    has_email_code: true,
  },
  'sign-up': { ...hostileForm, email: hostile, error: hostile, blocked: hostile, sign_in: hostile, is_sent: false },
  'new-account': { ...hostileForm, email: hostile, values: { username: hostile, name: hostile }, errors },
  'forgot-password': {
    ...hostileForm,
    login: hostile,
    error: hostile,
    blocked: hostile,
    sign_in: hostile,
    state: 'form',
  },
  'email-code': { ...hostileForm, client_name: hostile, error: hostile, cancel: true, mailed: hostile, again: hostile },
  'enrolment-required': {
    ...{ ...hostileForm, client_name: hostile, blocked: hostile, cancel: true },
    ...{ enrolment: hostile, state: 'ask', is_passkey_only: true },
  },
  enrolment: {
    ...{ ...hostileForm, errors, account_name: hostile, username: hostile, pending: hostile, key: hostile },
    ...{ has_password: true, must_sign_in: false },
    passkey: hostile,
    picture: '<svg></svg>',
  },
  'second-step': {
    ...hostileForm,
    pending: hostile,
    client_name: hostile,
    error: hostile,
    cancel: true,
    has_code: true,
    takes_code: true,
    remember_days: 30,
    passkey: hostile,
  },
  consent: {
    ...hostileForm,
    client_name: hostile,
    client_id: hostile,
    also_allowed: allowed,
    signed_in_as: hostile,
    switch_account_action: hostile,
    groups: [
      { service_name: null, scopes: [{ ...asked, optional: false }] },
      { service_name: hostile, scopes: [asked] },
    ],
    return_host: hostile,
    provenance: undefined,
    is_impersonable: false,
    return_is_loopback: true,
    lasts_until: now,
  },
  'sign-out': { ...hostileForm, client_name: hostile },
  'signed-out': { client_name: hostile, still_signed_in_as: hostile },
  error: {
    heading: hostile,
    message: hostile,
    language: hostile,
    technical: { error: hostile, description: hostile },
    status: 400,
  },
  account: { name: hostile, email: hostile, administers: true, notice: hostile },
  'change-password': {
    ...{ ...hostileForm, errors, username: hostile },
    proof: { kind: 'factor', has_code: true, takes_code: true, passkey: hostile },
  },
  'choose-password': {
    csrf: hostile,
    action: hostile,
    errors: { password: hostile, password_repeated: hostile, form: hostile },
    account_name: hostile,
    username: hostile,
  },
  'password-changed': { ended_sessions: 3, ended_apps: 1 },
  'mail-language': {
    ...{ csrf: hostile, action: hostile, chosen: hostile, automatic: hostile, notice: hostile },
    options: [{ value: hostile, name: hostile }],
  },
  'connected-apps': {
    csrf: hostile,
    apps: [app, { ...app, last_used_at: null, expires_at: null }],
    notice: hostile,
    q: hostile,
    sort: 'allowed_at',
    page: 2,
    pages: 3,
    total: 43,
  },
  'revoke-access': {
    ...{ ...hostileForm, client_name: hostile, refresh_families: 1, access_tokens: 2, sessions: 3 },
    provenance: { by: 'document', host: hostile },
  },
  sessions: { sessions: [{ ...stranger, is_this_one: true }, stranger], total: 43, page: 2, pages: 3, notice: hostile },
  'sign-out-session': { ...hostileForm, session: stranger },
  'sign-out-others': { ...hostileForm, sessions: 3, apps: 2, lasting: 1 },
  activity: {
    events: [
      {
        what: hostile,
        is_alarming: true,
        occurred_at: now,
        first_at: now,
        times: 2,
        device: hostile,
        address: hostile,
      },
    ],
    older: hostile,
    is_first: false,
  },
  'own-data': hostileForm,
  'device-enter': { action: hostile, xsrf: hostile, user_code: hostile, error: hostile },
  'device-confirm': { action: hostile, xsrf: hostile, user_code: hostile, client_name: hostile },
  'device-ready': { client_name: hostile },
  'device-show': { user_code: hostile, qr_path: hostile, address: hostile },
  'docs-page': {
    title: hostile,
    content: new Markup('<h1>Guide</h1>'),
    headings: [{ id: hostile, text: hostile }],
    is_first: false,
  },
  'docs-search': {
    q: hostile,
    found: [{ href: hostile, page: hostile, heading: hostile, excerpt: [{ text: hostile, is_match: true }] }],
  },
  reference: { issuer: hostile, audience: hostile, q: hostile, groups: [{ name: hostile, operations: [operation] }] },
  'reference-group': {
    audience: hostile,
    names: [hostile],
    group: { name: hostile, operations: [operation] },
  },
  home: {
    issuer: hostile,
    setup_needed: false,
    demo: true,
    administers: true,
    signed_in_as: hostile,
    version: hostile,
  },
  'demo-home': { csrf: hostile, signed_in: true, problem: hostile },
  'demo-tokens': {
    csrf: hostile,
    id_token_claims: claims,
    access_token_introspection: claims,
    userinfo: { ...claims, name: hostile },
    api_answer: claims,
    refreshed: 2,
    notice: hostile,
  },
  'email-link': { ...hostileForm, email: hostile, state: 'undo' },
  ...mostOfConsole(hostile, now),
  ...ownKeyPages(mostOfConsole(hostile, now)),
};

/** The number of forms on a page with minimal data; pages that are missing here have none. */
const postedForms: Partial<Record<keyof PageData, number>> = {
  setup: 1,
  'sign-in': 1,
  'email-code': 1,
  'select-account': 2,
  consent: 2,
  'sign-out': 1,
  'change-password': 1,
  'choose-password': 1,
  'forgot-password': 1,
  'sign-up': 1,
  'new-account': 1,
  'mail-language': 1,
  'revoke-access': 1,
  'sign-out-session': 1,
  'sign-out-others': 1,
  'own-data': 1,
  'own-key-action': 1,
  'own-account-action': 1,
  'email-link': 1,
  'own-security-action': 1,
  'second-step': 1,
  'enrolment-required': 1,
  enrolment: 1,
  'device-enter': 1,
  'device-confirm': 1,
  'demo-home': 1,
  'demo-tokens': 4,
  'console-action': 1,
};

const pages = Object.keys(minimal) as (keyof PageData)[];
const apps = (more: Partial<PageData['connected-apps']>) =>
  renderPage('connected-apps', { ...minimal['connected-apps'], ...more }, chrome);
const consent = (scope: Partial<typeof asked>, more: Partial<PageData['consent']> = {}) => {
  const plain = {
    ...asked,
    name: 'mail:send',
    value: 'mail',
    description: 'Send messages',
    sensitive: false,
    is_new: false,
    already_allowed: false,
  };
  return renderPage(
    'consent',
    { ...minimal.consent, groups: [{ service_name: 'Mail', scopes: [{ ...plain, ...scope }] }], ...more },
    chrome,
  );
};
const checkbox = (html: string) => html.match(/<input type="checkbox"[^>]*>/)?.[0];

describe('a page', () => {
  test.each(pages)('%s is complete with minimal data', (page) => {
    const html = renderPage(page, minimal[page], chromeOf(page));
    expect(html).toMatch(/^<!doctype html>\n<html lang="en">/);
    expect(html.match(/<h1[\s>]/g)).toHaveLength(1);
    expect(html).not.toMatch(/undefined|\[object|NaN/);
  });

  test.each(pages)('%s is complete in German, too', (page) => {
    for (const [data, base] of [[minimal, chromeOf(page)] as const, [maximal, hostileChrome] as const]) {
      const html = renderPage(page, data[page], { ...base, language: 'de' });
      expect(html).toMatch(/^<!doctype html>\n<html lang="de">/);
      expect(html).not.toMatch(/undefined|\[object|NaN|<script>|\sonerror=alert\(2\)>/);
    }
  });

  test.each(pages)('%s shows hostile text as text, and nothing the content security policy refuses', (page) => {
    const html = renderPage(page, maximal[page], hostileChrome);
    expect(html).not.toMatch(/<script>|<img src=x|\sonerror=alert\(2\)>/);
    expect(html).not.toMatch(/<[^>]*\sstyle=|<style|javascript:/);
    expect(html).not.toMatch(/undefined|\[object|NaN/);
    expect(html).not.toMatch(/<script(?! src="\/assets\/(?:latchkey|passkeys)\.)/);
  });

  test.each(pages)('%s has the expected forms, and protects each of them', (page) => {
    const html = renderPage(page, { ...minimal[page], csrf: 'token' }, chromeOf(page));
    const posts = html.match(/<form\b(?![^>]*method="get")[^>]*>[\s\S]*?<\/form>/g) ?? [];
    expect(posts).toHaveLength(postedForms[page] ?? 0);
    expect(posts.filter((post) => !/name="(csrf|xsrf)" value="token"/.test(post))).toEqual([]);
  });

  test.each(pages)('%s uses words for users, not of protocols', (page) => {
    const words = renderPage(page, minimal[page], chromeOf(page)).replaceAll(/<[^>]*>/g, ' ');
    expect(words).not.toMatch(/authori[sz]e|\bgrant|OAuth|\bscopes?\b/i);
  });
});

describe('the consent page of an app', () => {
  test('starts with optional scopes ticked, unless they are risky or requested for the first time', () => {
    expect(checkbox(consent({}))).toContain('checked');
    expect(checkbox(consent({ sensitive: true }))).not.toContain('checked');
    expect(checkbox(consent({ is_new: true }))).not.toContain('checked');
    expect(checkbox(consent({ sensitive: true, already_allowed: true }))).toContain('checked');
  });

  test('shows required scopes as ticked and unchangeable, and does not send them', () => {
    expect(checkbox(consent({ optional: false, sensitive: true }))).toBe('<input type="checkbox" disabled checked>');
  });

  test('puts "Don’t allow" first, so that the Enter key never allows', () => {
    const html = consent({});
    expect(html.indexOf('value="deny"')).toBeLessThan(html.indexOf('value="allow"'));
  });

  test('shows where it redirects, and warns when that is this computer', () => {
    expect(consent({})).toMatch(/<strong>shop\.example<\/strong>(?![\s\S]*this computer)/);
    expect(consent({}, { return_is_loopback: true })).toContain('this computer');
  });
});

describe('the connected apps', () => {
  const shop = {
    ...app,
    consent_id: 'c1',
    client_name: 'Shop',
    allowed_at: new Date('2026-11-21T12:00:00Z'),
    last_used_at: null,
  };

  test('show times relative, with the exact one and its zone', () => {
    const html = apps({ apps: [shop], total: 1 });
    expect(html).toContain('datetime="2026-11-21T12:00:00.000Z" title="21 November 2026, 12:00 UTC"');
    expect(html).toContain('>3 days ago</time>');
  });

  test('keep search and order from page to page', () => {
    const html = apps({ apps: [shop], q: 'a&b', sort: 'allowed_at', page: 1, pages: 2, total: 30 });
    expect(html).toContain('href="/account/apps?q=a%26b&amp;sort=allowed_at&amp;page=2"');
  });

  test('say what to do when there are none', () => {
    expect(apps({})).toContain('No connected apps');
    expect(apps({ q: 'zebra' })).toContain('Show all');
  });
});

test('the provider’s sign-out form is used unchanged, and both buttons belong to it', () => {
  const form_html =
    '<form id="op.logoutForm" method="post" action="/oauth/logout/confirm"><input type="hidden" name="xsrf" value="x"/></form>';
  const html = renderPage('sign-out', { form_html }, chrome);
  expect(html).toContain(form_html);
  expect(html.match(/<form /g)).toHaveLength(1);
  expect(html.match(/form="op\.logoutForm"/g)).toHaveLength(2);
});

describe('an asset', () => {
  test('is served under the name that contains its hash, and under no other', () => {
    expect(assetPath('latchkey.css')).toMatch(/^\/assets\/latchkey\.[0-9a-f]{16}\.css$/);
    expect(findAsset(assetPath('latchkey.css'))?.type).toBe('text/css; charset=utf-8');
    expect(findAsset('/assets/latchkey.css')).toBeUndefined();
  });

  test('is the same in every encoding, and loads nothing the content security policy refuses', async () => {
    const asset = findAsset(assetPath('latchkey.css'));
    if (!asset) throw new Error('no stylesheet');
    const body = await asset.body.identity();
    expect(gunzipSync(await asset.body.gzip()).equals(body)).toBe(true);
    expect(brotliDecompressSync(await asset.body.br()).equals(body)).toBe(true);
    expect(body.toString()).not.toMatch(/url\(|@import/);
  });

  test('is small enough for a first view below 40 KB', async () => {
    const files = await Promise.all(
      (['latchkey.css', 'latchkey.js', 'icon.svg'] as const).map(
        async (name) => (await findAsset(assetPath(name))?.body.gzip())?.length ?? Number.NaN,
      ),
    );
    const largest = Math.max(...pages.map((page) => Buffer.byteLength(renderPage(page, maximal[page], hostileChrome))));
    expect(files.reduce((sum, bytes) => sum + bytes, largest)).toBeLessThan(40_000);
  });
});
