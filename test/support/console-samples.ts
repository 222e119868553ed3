import { areaChart, barChart, sparkline, timeline } from '../../src/entrypoints/pages/charts/index.ts';
import type { ConsolePages } from '../../src/entrypoints/pages/console/page-data.ts';
import type { PageData } from '../../src/entrypoints/pages/page-data.ts';
import type { Panel, PanelContent } from '../../src/entrypoints/pages/records/page-shapes.ts';

const crumb = { text: 'Clients', href: '/console/clients' };
const list = {
  heading: 'Clients',
  intro: 'Those.',
  icon: 'client',
  path: '/console/clients',
  sort: '',
  all: '/',
  empty: { heading: 'None', words: 'None.' },
};

/** The overview with one example of each part. */
function overviewOf(text: string, at: Date): ConsolePages['console-home']['figures'] {
  const series = [{ label: text, tone: 1, values: [1, 0] }] as const;
  const spark = sparkline(text, [0, 3]);
  const tile = { label: text, href: text, value: text, comparison: text, spark };
  const link = { text, href: text };
  return {
    ranges: [{ text, href: text, isCurrent: true }],
    requests: {
      chart: areaChart({ id: 'requests', title: text, unit: text, labels: [text, text], series }),
      since: at,
      counted_until: at,
    },
    tiles: [
      { ...tile, isAlarming: true },
      { ...tile, href: undefined, isAlarming: false },
    ],
    attention: [{ icon: 'key', level: 'problem', what: text, detail: text, link }],
    firstSteps: {
      isHidden: false,
      done: 1,
      csrf: text,
      lines: [
        { what: text, detail: text, isDone: false, link },
        { what: text, detail: text, isDone: true, link: undefined },
      ],
    },
  };
}

function timelineOf(text: string, at: Date) {
  const to = new Date(at.getTime() + 7_200_000);
  const row = { label: text, periods: [{ from: at, to, style: 'current' as const }], note: text };
  return timeline({
    ...{ id: text, title: text, description: text, now: at, rows: [row] },
    legend: [{ style: 'current', label: text }],
    table: { unit: text, columns: [], rows: [] },
    labelOf: () => '',
  });
}

/** The pages of the console with minimal data. */
export const leastOfConsole: ConsolePages = {
  'console-home': { name: 'Alice', figures: undefined },
  'console-list': {
    ...list,
    search: undefined,
    filters: [],
    tags: [],
    columns: [],
    rows: [],
    total: undefined,
    searched: undefined,
    next: undefined,
    previous: undefined,
    problem: undefined,
    notice: undefined,
    actions: [],
  },
  'console-detail': {
    crumb,
    name: 'Shop',
    badges: [],
    line: [],
    notice: undefined,
    actions: [],
    tabs: [],
    panels: [],
    aside: [],
    danger: [],
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
    summary: undefined,
    proof: undefined,
    hidden: {},
  },
  'console-made': {
    crumb,
    heading: 'New client secret',
    name: 'Shop',
    secret: 'lk_cs_1',
    words: [],
    snippets: [],
    facts: [],
  },
  'console-search': { q: '', groups: [] },
  'console-settings': { panels: [], notice: undefined },
  'console-explain-access': {
    crumb,
    asked: { kind: 'user', subject: '', resource: '', permission: '' },
    apis: [],
    subjects: [],
    answer: undefined,
    problem: undefined,
  },
};

/** The same pages with maximal data, with one text everywhere. */
export function mostOfConsole(text: string, at: Date): ConsolePages {
  const row = [
    { kind: 'text', text },
    { kind: 'code', text },
    { kind: 'copy', text },
    { kind: 'link', text, href: text, code: `${text}.` },
    { kind: 'action', text, href: text, about: text },
    { kind: 'mark', text, tone: 'bad', note: text },
    { kind: 'number', value: 1234 },
    { kind: 'menu', about: text, actions: [{ label: text, href: text, danger: true }] },
    { kind: 'time', at },
    { kind: 'codes', codes: [text] },
  ] as const;
  const actions = [{ label: text, href: text, danger: true }] as const;
  const facts = row.map((cell) => ({ label: text, cell }));
  const columns = [{ label: text }, { label: '' }];
  const snippets = [{ label: text, text }];
  const series = [{ label: text, tone: 1, values: [3] }] as const;
  const contents: PanelContent[] = [
    { kind: 'facts', facts: facts.slice(0, 2) },
    { kind: 'table', columns, rows: [row], empty: text, next: text, previous: text, shown: text },
    { kind: 'table', columns, rows: [], empty: text },
    { kind: 'events', events: [{ text, href: text, tone: 'good', about: [row[0]], at }], empty: text },
    { kind: 'usage', facts: [], chart: barChart({ id: text, title: text, unit: text, labels: [text], series }) },
    { kind: 'snippets', snippets },
    { kind: 'words', words: [text] },
  ];
  // Once is enough for what each of them can have.
  const around = { intro: text, link: { text, href: text }, actions };
  const panels = contents.map((content, n) => ({ heading: text, ...(n === 0 && around), content }));
  const charted: Panel = {
    heading: text,
    choices: [{ label: text, href: text, is_current: true }],
    content: { kind: 'timeline', timeline: timelineOf(text, at) },
  };
  const types = ['text', 'number', 'datetime-local', 'password', 'textarea', 'select', 'choices', 'radios'] as const;
  const options = [{ value: text, text, note: text, is_sensitive: true, group: text }];
  const page = { crumb: { text, href: text }, heading: text, name: text } as const;
  return {
    'console-home': { name: text, figures: overviewOf(text, at) },
    'console-list': {
      ...leastOfConsole['console-list'],
      heading: text,
      intro: text,
      path: text,
      search: { label: text, hint: text, value: text },
      filters: [
        { name: text, label: text, value: text, options },
        { name: text, label: text, value: text, options: [] },
      ],
      tags: [{ text, href: text }],
      sort: text,
      columns: [{ label: text, is_number: true, sort: { href: text, direction: 'ascending' } }],
      rows: [row],
      total: text,
      searched: text,
      next: text,
      previous: text,
      all: text,
      problem: text,
      notice: text,
      actions,
      chart: { chart: barChart({ id: text, title: text, unit: text, labels: [text], series }), note: text },
    },
    'console-detail': {
      crumb: page.crumb,
      name: text,
      badges: [row[0]],
      line: [row[0]],
      notice: text,
      warning: { fact: text, words: text, link: { text, href: text } },
      actions: [{ ...actions[0], isMain: true }],
      tabs: [{ label: text, href: text, is_current: true }],
      panels: [charted, ...panels],
      aside: panels.slice(-1),
      danger: [{ label: text, href: text, danger: true, words: text, button: text }],
    },
    'console-action': {
      ...leastOfConsole['console-action'],
      ...page,
      csrf: text,
      action: text,
      words: [text],
      impact: [{ text, words: text }],
      impact_heading: text,
      fields: types.map((type) => ({
        name: type,
        label: text,
        type,
        value: text,
        hint: text,
        options,
        suggestions: [text],
        group: text,
      })),
      errors: { form: text, text, password_again: text },
      button: text,
      danger: true,
      back: text,
      version: 3,
      present: [{ label: text, cell: row[0] }],
      summary: { can: [{ text, code: text }], facts },
      proof: { kind: 'password', username: text },
      hidden: {},
    },
    'console-made': { ...page, secret: text, words: [text], snippets, facts },
    'console-search': { q: text, groups: [{ heading: text, rows: [row], all: text }] },
    'console-settings': { panels: [{ heading: text, content: { kind: 'words', words: [text] } }], notice: text },
    'console-explain-access': {
      crumb: page.crumb,
      asked: { kind: text, subject: text, resource: text, permission: text },
      apis: [text],
      subjects: [text],
      answer: { badge: row[0], because: text },
      problem: text,
    },
  };
}

/** The pages of a user's own keys: the same without the console around them. */
export function ownKeyPages({
  'console-list': list,
  'console-detail': detail,
  'console-action': act,
  'console-made': made,
}: ConsolePages): Pick<
  PageData,
  | 'own-key-list'
  | 'own-key'
  | 'own-key-action'
  | 'own-key-made'
  | 'own-security'
  | 'own-security-action'
  | 'own-security-made'
  | 'own-account-action'
> {
  return {
    ...{ 'own-key-list': list, 'own-key': detail, 'own-key-action': act, 'own-key-made': made },
    ...{ 'own-security': detail, 'own-security-action': act, 'own-security-made': made },
    'own-account-action': act,
  };
}
