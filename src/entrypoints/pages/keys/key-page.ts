import { isLiveVersion } from '../../../domain/api-keys/index.ts';
import * as cell from '../records/cells.ts';
import { choiceFilter, type ListFilter } from '../records/filters.ts';
import { noticeIn } from '../records/notices.ts';
import type { ActionLink, Cell, DetailPage, Fact, Panel } from '../records/page-shapes.ts';
import { rightLine } from '../records/rights-lines.ts';
import { usagePanel } from '../records/usage-panel.ts';
import { counted } from '../words.ts';
import { getKeyOf, type Key, type KeyContext, type KeyVerb, shortOf } from './key-context.ts';

const states: Readonly<Record<Key['state'], string>> = {
  active: 'Active',
  disabled: 'Disabled',
  expired: 'Expired',
  revoked: 'Revoked',
};

const soonDays = 7;

/** The state of a key, with a note where it expires soon. */
export function stateCell({ state, expires_at }: Key, now: Date): Cell {
  if (state !== 'active') return cell.quiet(states[state]);
  const days = expires_at ? Math.ceil((expires_at.getTime() - now.getTime()) / 86_400_000) : undefined;
  if (days === undefined || days > soonDays) return cell.good(states.active);
  return cell.warn(states.active, `Expires in ${counted(days, 'day')}`);
}

/** The filters of a list of keys. */
export const keyFilters = (environments: readonly string[]): ListFilter[] => [
  choiceFilter(
    { name: 'environment', label: 'Environment', any: 'All environments' },
    Object.fromEntries(environments.map((name) => [name, name])),
  ),
  choiceFilter({ name: 'state', label: 'State', any: 'All states' }, states),
];

/** One key: its permissions and restrictions, its versions and its use. */
export async function keyPage(context: KeyContext): Promise<DetailPage> {
  const key = await getKeyOf(context);
  const links = actionLinks(context, key);
  return {
    crumb: context.crumb,
    name: key.name,
    badges: [stateCell(key, context.deps.now()), cell.quiet(key.environment)],
    line: [cell.code(shortOf(key)), ...(key.description === null ? [] : [cell.text(key.description)])],
    notice: noticeIn(context.ctx),
    actions: links.filter(({ danger }) => !danger),
    tabs: [],
    panels: [
      { heading: 'Permissions', content: { kind: 'facts', facts: permissionFacts(key) } },
      versionsPanel(key, context.deps.now()),
      usagePanel(await context.keys.usage(key.id), { what: 'Requests', now: context.deps.now() }),
      ...(await context.activity(key)),
    ],
    aside: [{ heading: 'Details', content: { kind: 'facts', facts: detailFacts(context, key) } }],
    danger: links
      .filter(({ danger }) => danger)
      .map(({ words = '', ...link }) => ({ ...link, words, button: link.label })),
  };
}

function permissionFacts({ permissions, roles, restrictions_in_words }: Key): Fact[] {
  return [
    { label: 'Permissions', cell: cell.codes(permissions.map(rightLine)) },
    ...(roles.length > 0 ? [{ label: 'Roles', cell: cell.codes(roles) }] : []),
    { label: 'Restrictions', cell: cell.text(restrictions_in_words.join('; ') || 'None') },
  ];
}

function detailFacts(context: KeyContext, key: Key): Fact[] {
  const { tags, metadata, revoked_at } = key;
  const members = Object.entries(metadata).map(([name, value]) => `${name}=${String(value)}`);
  return [
    ...context.ownerFacts(key),
    revoked_at
      ? { label: 'Revoked', cell: cell.time(revoked_at) }
      : { label: 'Expires', cell: cell.time(key.expires_at) },
    { label: 'Last used', cell: cell.time(key.last_used_at) },
    { label: 'Risk', cell: cell.text(key.risk) },
    ...(tags.length > 0 ? [{ label: 'Tags', cell: cell.codes(tags) }] : []),
    ...(members.length > 0 ? [{ label: 'Metadata', cell: cell.codes(members) }] : []),
    { label: 'Created', cell: cell.time(key.created_at) },
    { label: 'Updated', cell: cell.time(key.updated_at) },
    { label: 'ID', cell: cell.copied(key.id) },
  ];
}

function versionsPanel(key: Key, now: Date): Panel {
  const isOver = key.state === 'revoked' || key.state === 'expired';
  const rows = key.versions.map((version) => [
    cell.code(shortOf({ versions: [version] })),
    !isOver && isLiveVersion(version, now) ? cell.good('Active') : cell.quiet('Expired'),
    cell.time(version.issued_at),
    version.ends_at ? cell.time(version.ends_at) : cell.text('With the key'),
  ]);
  return {
    heading: 'Versions',
    intro: 'A rotation creates a new version; the previous one is accepted until the overlap is over.',
    content: {
      kind: 'table',
      columns: ['Version', 'State', 'Created', 'Expires'].map((label) => ({ label })),
      rows,
      empty: 'No versions.',
    },
  };
}

/** `words`: what a dangerous action does. */
type KeyLink = ActionLink & { words?: string };

const links = {
  change: { label: 'Edit', danger: false },
  rotate: { label: 'Rotate', danger: false },
  enable: { label: 'Enable', danger: false },
  disable: { label: 'Disable', danger: true, words: 'The key is refused until you enable it again.' },
  revoke: {
    label: 'Revoke',
    danger: true,
    words: 'Every version of the key is refused for good. This cannot be undone.',
  },
} satisfies Record<KeyVerb, Omit<KeyLink, 'href'>>;

const verbsOf: Record<Key['state'], readonly KeyVerb[]> = {
  active: ['change', 'rotate', 'disable', 'revoke'],
  disabled: ['change', 'rotate', 'enable', 'revoke'],
  expired: ['change', 'disable', 'revoke'],
  revoked: [],
};

/** The actions on a key in its present state. */
export function actionLinks({ may, pathOf }: Pick<KeyContext, 'may' | 'pathOf'>, { id, state }: Key): KeyLink[] {
  return verbsOf[state].filter(may).map((verb) => ({ ...links[verb], href: `${pathOf(id)}/${verb}` }));
}
