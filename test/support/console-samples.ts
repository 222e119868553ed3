import type { ConsolePages } from '../../src/entrypoints/pages/console/page-data.ts';
import type { PageData } from '../../src/entrypoints/pages/page-data.ts';

const crumb = { text: 'Clients', href: '/console/clients' };
const list = {
  heading: 'Which clients?',
  intro: 'Those.',
  path: '/console/clients',
  sort: '',
  all: '/',
  empty: 'None.',
};

/** The pages of the console with the least they can be given. */
export const leastOfConsole: ConsolePages = {
  'console-home': { name: 'Alice', roles: [] },
  'console-list': {
    ...list,
    search: undefined,
    filters: [],
    sorts: [],
    columns: [],
    rows: [],
    next: undefined,
    first: undefined,
    is_filtered: false,
    problem: undefined,
    notice: undefined,
    actions: [],
  },
  'console-detail': {
    crumb,
    heading: 'What is',
    name: 'Shop',
    facts: [],
    tables: [],
    actions: [],
    notice: undefined,
  },
  'console-action': {
    csrf: 'token',
    action: '/here',
    crumb,
    heading: 'Disable',
    name: 'Shop',
    words: [],
    impact: [],
    fields: [],
    errors: {},
    button: 'Disable Shop',
    danger: false,
    back: '/back',
    version: undefined,
    present: [],
    password_of: undefined,
  },
  'console-made': {
    crumb,
    heading: 'Here is the new secret of',
    name: 'Shop',
    secret: 'lk_cs_1',
    words: [],
    pastes: [],
  },
};

/** The same pages with one text everywhere and everything they can show. */
export function mostOfConsole(text: string, at: Date): ConsolePages {
  const row = [
    { kind: 'text', text },
    { kind: 'code', text },
    { kind: 'copy', text },
    { kind: 'link', text, href: text, code: `${text}.` },
    { kind: 'action', text, href: text, about: text },
    { kind: 'mark', text, tone: 'bad' },
    { kind: 'time', at },
    { kind: 'codes', codes: [text] },
  ] as const;
  const actions = [{ label: text, href: text, danger: true, words: text }];
  const table = { heading: text, intro: text, columns: [text, ''], rows: [row], empty: text, actions, next: text };
  const types = ['text', 'number', 'datetime-local', 'password', 'textarea', 'select', 'choices'] as const;
  const options = [{ value: text, text, note: text, is_risky: true }];
  const page = { crumb: { text, href: text }, heading: text, name: text } as const;
  return {
    'console-home': { name: text, roles: [text, text] },
    'console-list': {
      ...leastOfConsole['console-list'],
      heading: text,
      intro: text,
      path: text,
      search: { label: text, value: text },
      filters: [
        { name: text, label: text, value: text, options },
        { name: text, label: text, value: text, options: [] },
      ],
      sorts: [{ text, href: text, is_current: true }],
      sort: text,
      columns: [text],
      rows: [row],
      next: text,
      first: text,
      all: text,
      is_filtered: true,
      problem: text,
      notice: text,
      actions,
    },
    'console-detail': {
      ...page,
      facts: row.map((cell) => ({ label: text, cell })),
      tables: [table, { ...table, rows: [] }],
      actions,
      notice: text,
    },
    'console-action': {
      ...leastOfConsole['console-action'],
      ...page,
      csrf: text,
      action: text,
      words: [text],
      impact: [{ text, words: text }],
      fields: types.map((type) => ({ name: type, label: text, type, value: text, hint: text, options })),
      errors: { form: text, text, password_again: text },
      button: text,
      danger: true,
      back: text,
      version: 3,
      present: [{ label: text, cell: row[0] }],
      password_of: text,
    },
    'console-made': { ...page, secret: text, words: [text], pastes: [{ title: text, text }] },
  };
}

/** A person's pages about their own keys: the same without the console around them. */
export function ownKeyPages({
  'console-list': list,
  'console-detail': detail,
  'console-action': act,
  'console-made': made,
}: ConsolePages): Pick<PageData, 'own-key-list' | 'own-key' | 'own-key-action' | 'own-key-made'> {
  return { 'own-key-list': list, 'own-key': detail, 'own-key-action': act, 'own-key-made': made };
}
