import { isLiveVersion } from '../../../domain/api-keys/index.ts';
import { dayMs } from '../../../domain/credentials/index.ts';
import { explainRestrictions } from '../../../domain/restrictions/index.ts';
import type { Catalogue } from '../languages/en.ts';
import * as cell from '../records/cells.ts';
import { choiceFilter, type ListFilter } from '../records/filters.ts';
import { noticeIn } from '../records/notices.ts';
import type { ActionLink, Cell, DetailPage, Fact, Panel } from '../records/page-shapes.ts';
import { rightLine } from '../records/rights-lines.ts';
import { usagePanel } from '../records/usage-panel.ts';
import { figure } from '../words.ts';
import { getKeyOf, type Key, type KeyContext, type KeyUses, type KeyVerb, shortOf } from './key-context.ts';

const soonDays = 7;

/** The state of a key, with a note if it expires soon. */
export function stateCell({ state, expires_at }: Key, { deps, texts: { keys } }: KeyContext): Cell {
  const { states } = keys;
  const now = deps.now();
  if (state !== 'active') return cell.quiet(states[state]);
  const days = expires_at ? Math.ceil((expires_at.getTime() - now.getTime()) / dayMs) : undefined;
  if (days === undefined || days > soonDays) return cell.good(states.active);
  return cell.warn(states.active, keys.expiresIn({ count: days }));
}

/** The filters of a list of keys. */
export const keyFilters = (environments: readonly string[], { keys }: Catalogue): ListFilter[] => [
  choiceFilter(
    { name: 'environment', label: keys.environment, any: keys.allEnvironments },
    Object.fromEntries(environments.map((name) => [name, name])),
  ),
  choiceFilter({ name: 'state', label: keys.state, any: keys.allStates }, keys.states),
];

/** One key: its permissions and restrictions, its versions and its use. */
export async function keyPage(context: KeyContext): Promise<DetailPage> {
  const key = await getKeyOf(context);
  const links = actionLinks(context, key);
  const { texts } = context;
  const uses = await context.keys.uses(key.id);
  return {
    crumb: context.crumb,
    name: key.name,
    badges: [stateCell(key, context), cell.quiet(key.environment)],
    line: [cell.code(shortOf(key)), ...(key.description === null ? [] : [cell.text(key.description)])],
    notice: noticeIn(context.ctx, texts),
    actions: links.filter(({ danger }) => !danger),
    tabs: [],
    panels: [
      { heading: texts.keys.permissions, content: { kind: 'facts', facts: permissionFacts(texts, key) } },
      versionsPanel(context, key, uses),
      usagePanel(await context.keys.usage(key.id), { what: texts.keys.requests, now: context.deps.now(), texts }),
      usesPanel(texts, uses),
      ...(await context.activity(key)),
    ],
    aside: [{ heading: texts.keys.details, content: { kind: 'facts', facts: detailFacts(context, key) } }],
    danger: links
      .filter(({ danger }) => danger)
      .map(({ words = '', ...link }) => ({ ...link, words, button: link.label })),
  };
}

function permissionFacts(texts: Catalogue, { permissions, roles, restrictions }: Key): Fact[] {
  const { keys, records } = texts;
  const limits = explainRestrictions(restrictions, texts.tag);
  return [
    { label: keys.permissions, cell: cell.codes(permissions.map(rightLine), records.none) },
    ...(roles.length > 0 ? [{ label: keys.roles, cell: cell.codes(roles) }] : []),
    { label: keys.restrictions, cell: cell.text(limits.join('; ') || records.none) },
  ];
}

function detailFacts(context: KeyContext, key: Key): Fact[] {
  const { keys: t, records } = context.texts;
  const { tags, metadata, revoked_at } = key;
  const members = Object.entries(metadata).map(([name, value]) => `${name}=${String(value)}`);
  return [
    ...context.ownerFacts(key),
    revoked_at
      ? { label: t.revoked, cell: cell.time(revoked_at) }
      : { label: t.expires, cell: cell.time(key.expires_at, records.never) },
    { label: t.lastUsed, cell: cell.time(key.last_used_at, records.never) },
    { label: t.risk, cell: cell.text(t.riskNames[key.risk]) },
    ...(tags.length > 0 ? [{ label: t.tags, cell: cell.codes(tags) }] : []),
    ...(members.length > 0 ? [{ label: t.metadata, cell: cell.codes(members) }] : []),
    { label: t.created, cell: cell.time(key.created_at) },
    { label: t.updated, cell: cell.time(key.updated_at) },
    { label: t.id, cell: cell.copied(key.id) },
  ];
}

function versionsPanel({ deps, texts: { keys: t, records } }: KeyContext, key: Key, { versions }: KeyUses): Panel {
  const now = deps.now();
  const lastUsed = new Map(versions.map(({ version, last_used_at }) => [version, last_used_at]));
  const isOver = key.state === 'revoked' || key.state === 'expired';
  const rows = key.versions.map((version) => [
    cell.code(shortOf({ versions: [version] })),
    !isOver && isLiveVersion(version, now) ? cell.good(t.states.active) : cell.quiet(t.states.expired),
    cell.time(version.issued_at),
    cell.time(lastUsed.get(version.number) ?? null, records.never),
    version.ends_at ? cell.time(version.ends_at) : cell.text(t.withTheKey),
  ]);
  return {
    heading: t.versions,
    intro: t.versionsNote,
    content: {
      kind: 'table',
      columns: [t.version, t.state, t.created, t.lastUsed, t.expires].map((label) => ({ label })),
      rows,
      empty: t.noVersions,
    },
  };
}

const mostUses = 50;

/** The permissions that were requested of the key, and granted; the latest first. */
function usesPanel({ keys: t, tag }: Catalogue, { items }: KeyUses): Panel {
  const byUse = new Map<string, KeyUses['items'][number]>();
  for (const item of items) {
    const name = `${item.version} ${item.permission ?? ''}`;
    const { uses = 0, last_used_at = item.last_used_at } = byUse.get(name) ?? {};
    const latest = last_used_at > item.last_used_at ? last_used_at : item.last_used_at;
    byUse.set(name, { ...item, uses: uses + item.uses, last_used_at: latest });
  }
  const latestFirst = [...byUse.values()].sort((a, b) => b.last_used_at.getTime() - a.last_used_at.getTime());
  return {
    heading: t.permissionsUsed({ count: 30 }),
    intro: t.usesNote,
    content: {
      kind: 'table',
      columns: [
        { label: t.permission },
        { label: t.version },
        { label: t.uses, is_number: true },
        { label: t.lastUsed },
      ],
      rows: latestFirst
        .slice(0, mostUses)
        .map(({ permission, version, uses, last_used_at }) => [
          permission === null ? cell.quiet(t.noPermission) : cell.code(permission),
          cell.text(String(version)),
          cell.text(figure(uses, tag)),
          cell.time(last_used_at),
        ]),
      empty: t.noUses,
    },
  };
}

/** `words`: the consequence of a dangerous action. */
type KeyLink = ActionLink & { words?: string };

const linksIn = ({ keys: t }: Catalogue): Record<KeyVerb, Omit<KeyLink, 'href'>> => ({
  change: { label: t.edit, danger: false },
  rotate: { label: t.rotate, danger: false },
  enable: { label: t.enable, danger: false },
  disable: { label: t.disable, danger: true, words: t.disableZone },
  revoke: { label: t.revoke, danger: true, words: t.revokeZone },
});

const verbsOf: Record<Key['state'], readonly KeyVerb[]> = {
  active: ['change', 'rotate', 'disable', 'revoke'],
  disabled: ['change', 'rotate', 'enable', 'revoke'],
  expired: ['change', 'disable', 'revoke'],
  revoked: [],
};

/** The actions on a key in its present state. */
export function actionLinks(
  { may, pathOf, texts }: Pick<KeyContext, 'may' | 'pathOf' | 'texts'>,
  { id, state }: Key,
): KeyLink[] {
  const links = linksIn(texts);
  return verbsOf[state].filter(may).map((verb) => ({ ...links[verb], href: `${pathOf(id)}/${verb}` }));
}
