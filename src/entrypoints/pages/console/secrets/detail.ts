import * as cell from '../../records/cells.ts';
import { noticeIn } from '../../records/notices.ts';
import type { Cell, DangerousAction, Fact, Panel } from '../../records/page-shapes.ts';
import { counted } from '../../words.ts';
import { recentEvents } from '../recent-events.ts';
import { allowedActions, type RequestContext, showInConsole } from '../request-context.ts';
import { secretPath } from './addresses.ts';
import { ownerCell } from './owners.ts';
import type { Consumers } from './secret.ts';
import { consumerCells, consumersBehind, getSecret, kindWords, listConsumers, type Secret } from './secret.ts';
import { versionsPanel } from './versions.ts';

const mostConsumers = 50;

/** One secret: its versions and its readers, never its value. */
export async function showSecret(context: RequestContext): Promise<void> {
  const secret = await getSecret(context);
  const { path } = secret;
  const consumers = await listConsumers(context, path);
  const party = { kind: 'secret', id: path, reference: `secret:${path}` } as const;
  showInConsole(context, 'console-detail', {
    crumb: context.crumb,
    name: path,
    badges: badgesOf(secret, consumers),
    line: lineOf(context, secret, consumers),
    notice: noticeIn(context.ctx),
    actions: actionsOf(context, secret),
    tabs: [],
    panels: [
      await versionsPanel(context, secret, consumers),
      await consumersPanel(context, secret, consumers),
      { heading: 'Settings', content: { kind: 'facts', facts: settingFacts(context, secret) } },
      ...(await recentEvents(context, party, 5)),
    ],
    aside: [],
    danger: dangerOf(context, secret),
  });
}

function badgesOf({ versions, current_version }: Secret, consumers: Consumers): Cell[] {
  const current = versions.find(({ number }) => number === current_version);
  const behind = consumersBehind(consumers, current_version).length;
  return [
    current?.state === 'live' ? cell.good('Active') : cell.quiet(current ? 'Not readable' : 'No value'),
    ...(behind > 0 ? [cell.warn(`${counted(behind, 'consumer')} on earlier versions`)] : []),
  ];
}

function lineOf(context: RequestContext, { environment, owner, created_at }: Secret, { items }: Consumers): Cell[] {
  const [last] = items;
  return [
    ...(environment ? [cell.text(environment)] : []),
    ...(owner ? [ownerCell(context, owner)] : []),
    cell.timeAfter('created', created_at),
    last ? cell.timeAfter('last read', last.last_read_at) : cell.text('not read in the last 7 days'),
  ];
}

function actionsOf(context: RequestContext, { path, versions }: Secret) {
  const at = secretPath(path);
  const hasLive = versions.some(({ state }) => state === 'live');
  return allowedActions(context, [
    ...(hasLive
      ? [{ route: 'GET /secrets/{path}/value' as const, label: 'Reveal value', href: `${at}/reveal`, danger: false }]
      : []),
    { route: 'POST /secrets/{path}/versions', label: 'New version', href: `${at}/new-version`, danger: false },
    { route: 'POST /secrets/{path}/versions', label: 'Generate version', href: `${at}/generate`, danger: false },
    { route: 'PATCH /secrets/{path}', label: 'Edit settings', href: `${at}/change`, danger: false },
  ]);
}

function settingFacts(context: RequestContext, secret: Secret): Fact[] {
  const { description, environment, risk, owner, custom_metadata, max_versions, cas_required } = secret;
  const seconds = secret.delete_after_seconds;
  const labels = Object.entries(custom_metadata).map(([name, value]) => `${name}=${value}`);
  return [
    { label: 'Path', cell: cell.copied(secret.path) },
    { label: 'Permission to read', cell: cell.copied(`secrets:read:${secret.path.replaceAll('/', ':')}`) },
    { label: 'Description', cell: cell.text(description ?? 'None') },
    { label: 'Environment', cell: cell.text(environment ?? 'None') },
    { label: 'Risk', cell: cell.text(risk ?? 'Not rated') },
    { label: 'Owner', cell: owner ? ownerCell(context, owner) : cell.text('None') },
    { label: 'Labels', cell: cell.codes(labels) },
    ...heldElsewhere(secret),
    { label: 'Versions kept', cell: cell.number(max_versions) },
    { label: 'Check-and-set required', cell: cell.yesNo(cas_required) },
    { label: 'Each version readable for', cell: cell.text(seconds ? cell.duration(seconds) : 'No limit') },
  ];
}

/** For a credential that another system stores. */
function heldElsewhere({ location, accessible_to, rotated_at }: Secret): Fact[] {
  return [
    ...(location ? [{ label: 'Kept elsewhere', cell: cell.text(location) }] : []),
    ...(accessible_to.length > 0 ? [{ label: 'Who can get at it', cell: cell.codes(accessible_to) }] : []),
    ...(rotated_at ? [{ label: 'Last replaced', cell: cell.time(rotated_at) }] : []),
  ];
}

async function consumersPanel(context: RequestContext, secret: Secret, consumers: Consumers): Promise<Panel> {
  const shown = consumers.items.slice(0, mostConsumers);
  const cells = await consumerCells(context, shown);
  const more = consumers.is_partial ? ' Only the newest reads are counted.' : '';
  return {
    heading: 'Consumers',
    intro: `Who read a version in the last 7 days, as the audit log recorded it.${more}`,
    content: {
      kind: 'table',
      columns: [
        ...['Consumer', 'Kind', 'Version', 'Last read', 'From'].map((label) => ({ label })),
        { label: 'Reads, 24 hours', is_number: true },
        { label: 'Reads, 7 days', is_number: true },
      ],
      rows: shown.map((item) => [
        cells.get(item) ?? cell.text(''),
        cell.text(kindWords(item.kind)),
        item.version === secret.current_version
          ? cell.good(`v${item.version}, current`)
          : cell.warn(`v${item.version}, earlier`),
        cell.time(item.last_read_at),
        item.address ? cell.code(item.address) : cell.text(''),
        cell.number(item.reads_24h),
        cell.number(item.reads),
      ]),
      empty: 'No reads in the last 7 days.',
    },
  };
}

function dangerOf(context: RequestContext, { path }: Secret): DangerousAction[] {
  return allowedActions(context, [
    {
      route: 'DELETE /secrets/{path}',
      label: 'Delete secret',
      href: `${secretPath(path)}/delete`,
      danger: true,
      words: 'Deletes all versions with their keys. Their values cannot be recovered from this database.',
    },
  ]).map((action) => ({ ...action, button: 'Delete secret' }));
}
