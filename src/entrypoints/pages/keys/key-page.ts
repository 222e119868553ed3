import { isLiveVersion } from '../../../domain/api-keys/index.ts';
import * as cell from '../records/cells.ts';
import { noticeIn } from '../records/notices.ts';
import type { ActionLink, Cell, DetailPage, Fact, Filter, Table } from '../records/page-shapes.ts';
import { rightLine } from '../records/rights-lines.ts';
import { counted } from '../words.ts';
import { getKeyOf, type Key, type KeyContext, type KeyVerb, shortOf } from './key-context.ts';

export const states: Record<Key['state'], { cell: Cell; text: string }> = {
  active: { cell: cell.good('works'), text: 'works' },
  disabled: { cell: cell.bad('disabled'), text: 'disabled' },
  expired: { cell: cell.quiet('expired'), text: 'expired' },
  revoked: { cell: cell.bad('revoked'), text: 'revoked' },
};

/** By what keys are looked for. */
export const keyFilters = (environments: readonly string[]): Omit<Filter, 'value'>[] => [
  {
    name: 'environment',
    label: 'Environment',
    options: [{ value: '', text: 'every one' }, ...environments.map((value) => ({ value, text: value }))],
  },
  {
    name: 'state',
    label: 'State',
    options: [
      { value: '', text: 'every one' },
      ...Object.entries(states).map(([value, { text }]) => ({ value, text })),
    ],
  },
];

/** One key: whose it is, what it may, its texts and its use, and what can be done with it. */
export async function keyPage(context: KeyContext): Promise<DetailPage> {
  const key = await getKeyOf(context);
  return {
    crumb: context.crumb,
    heading: 'What is',
    name: key.name,
    notice: noticeIn(context.ctx),
    facts: factsOf(context, key),
    tables: [versionsTable(key, context.deps.now()), await usageTable(context, key)],
    actions: actionsOf(context, key),
  };
}

function factsOf(context: KeyContext, key: Key): Fact[] {
  const { permissions, roles, restrictions_in_words, tags, metadata, revoked_at } = key;
  const said = Object.entries(metadata).map(([name, value]) => `${name}=${String(value)}`);
  return [
    { label: 'Key', cell: cell.code(shortOf(key)) },
    { label: 'Id', cell: cell.copied(key.id) },
    ...(key.description === null ? [] : [{ label: 'Is for', cell: cell.text(key.description) }]),
    ...context.ownerFacts(key),
    { label: 'Environment', cell: cell.text(key.environment) },
    { label: 'State', cell: states[key.state].cell },
    { label: 'It may', cell: cell.codes(permissions.map(rightLine), 'nothing by itself') },
    ...(roles.length > 0 ? [{ label: 'With roles', cell: cell.codes(roles) }] : []),
    { label: 'But', cell: cell.text(restrictions_in_words.join('; ') || 'without any restriction') },
    { label: 'Risk', cell: cell.text(key.risk) },
    ...(tags.length > 0 ? [{ label: 'Tags', cell: cell.codes(tags) }] : []),
    ...(said.length > 0 ? [{ label: 'Is said of it', cell: cell.codes(said) }] : []),
    revoked_at
      ? { label: 'Revoked', cell: cell.time(revoked_at) }
      : { label: 'Expires', cell: cell.time(key.expires_at) },
    { label: 'Last used', cell: cell.time(key.last_used_at) },
    { label: 'Minted', cell: cell.time(key.created_at) },
    { label: 'Changed', cell: cell.time(key.updated_at) },
  ];
}

function versionsTable(key: Key, now: Date): Table {
  const isOver = key.state === 'revoked' || key.state === 'expired';
  const rows = key.versions.map((version) => [
    cell.code(shortOf({ versions: [version] })),
    !isOver && isLiveVersion(version, now) ? states[key.state].cell : cell.quiet('over'),
    cell.time(version.issued_at),
    version.ends_at ? cell.time(version.ends_at) : cell.text('with the key'),
  ]);
  return {
    heading: 'Texts',
    intro: 'A rotation makes a new one; the one before works until the overlap is over.',
    columns: ['Text', 'State', 'Made', 'Ends'],
    rows,
    empty: 'None.',
    actions: [],
  };
}

async function usageTable({ keys }: KeyContext, { id }: Key): Promise<Table> {
  const { days, allowed, refused } = await keys.usage(id);
  const rows = days
    .toReversed()
    .map((day) => [cell.code(day.day), cell.text(String(day.allowed)), cell.text(String(day.refused))]);
  return {
    heading: 'Usage',
    intro: `In the last 30 days: ${counted(allowed, 'request')} allowed, ${refused} refused. Days are in UTC.`,
    columns: ['Day', 'Allowed', 'Refused'],
    rows,
    empty: 'It was not used in the last 30 days.',
    actions: [],
  };
}

const links = {
  change: { label: 'Change', danger: false, words: 'Its name, what it may, its restrictions and its end' },
  rotate: { label: 'Rotate', danger: false, words: 'A new text; the present one ends after an overlap' },
  disable: { label: 'Disable', danger: true, words: 'It is refused until it is enabled again' },
  enable: { label: 'Enable', danger: false, words: 'It works again' },
  revoke: { label: 'Revoke', danger: true, words: 'It ends for good, with all its texts' },
} satisfies Record<KeyVerb, Omit<ActionLink, 'href'>>;

const verbsOf: Record<Key['state'], readonly KeyVerb[]> = {
  active: ['change', 'rotate', 'disable', 'revoke'],
  disabled: ['change', 'rotate', 'enable', 'revoke'],
  expired: ['change', 'disable', 'revoke'],
  revoked: [],
};

function actionsOf({ may, pathOf }: KeyContext, { id, state }: Key): ActionLink[] {
  return verbsOf[state].filter(may).map((verb) => ({ ...links[verb], href: `${pathOf(id)}/${verb}` }));
}
