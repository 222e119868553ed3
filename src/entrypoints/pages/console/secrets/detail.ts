import { riskDays } from '../../../../domain/credentials/index.ts';
import * as cell from '../../records/cells.ts';
import { noticeIn } from '../../records/notices.ts';
import type { ActionLink, Cell, DangerousAction, DetailPage, Panel } from '../../records/page-shapes.ts';
import { tabsIn } from '../../records/tabs.ts';
import { counted } from '../../words.ts';
import { recentEvents } from '../recent-events.ts';
import { type RequestContext, showInConsole } from '../request-context.ts';
import { secretPath } from './addresses.ts';
import {
  accessPanel,
  type Consumers,
  consumersBehind,
  listConsumers,
  partyCells,
  shortConsumersPanel,
} from './consumers.ts';
import { explainLink } from './explaining.ts';
import { ownerCell } from './owners.ts';
import { dueBadge, rotationFacts, schedulePanel } from './rotation.ts';
import { allowedLinks, getSecret, liveVersions, readableCell, rightsOf, type Secret } from './secret.ts';
import { elsewherePanel, settingsPanel } from './settings.ts';
import { revealLink, rollbackLink, shortVersionsPanel, versionsPanel } from './versions.ts';

const tabLabels = {
  overview: 'Overview',
  versions: 'Versions',
  access: 'Access',
  rotation: 'Rotation',
  settings: 'Settings',
};

type TabKey = keyof typeof tabLabels;
type Shown = { secret: Secret; consumers: Consumers; rights: Awaited<ReturnType<typeof rightsOf>> };

/** One secret: its versions and its readers, never its value. */
export async function showSecret(context: RequestContext): Promise<void> {
  const secret = await getSecret(context);
  const { path } = secret;
  const { current, tabs } = tabsIn(context.ctx, secretPath(path), tabLabels);
  const [consumers, rights] = [await listConsumers(context, path), await rightsOf(context)];
  const shown = { secret, consumers, rights };
  showInConsole(context, 'console-detail', {
    crumb: context.crumb,
    name: path,
    badges: badgesOf(context, shown),
    line: lineOf(context, shown),
    notice: noticeIn(context.ctx),
    warning: current === 'access' ? undefined : await warningOf(context, shown),
    actions: actionsOf(context, shown),
    tabs,
    panels: await panelsOf[current](context, shown),
    aside: [],
    danger: dangerOf(context, shown),
  });
}

const panelsOf: Readonly<Record<TabKey, (context: RequestContext, shown: Shown) => Promise<Panel[]>>> = {
  overview: async (context, shown) => [
    ...elsewherePanel(shown.secret),
    ...schedulePanel(context, shown),
    ...(isElsewhere(shown.secret)
      ? []
      : [await shortVersionsPanel(context, shown), await shortConsumersPanel(context, shown.secret, shown.consumers)]),
    ...(await recentEvents(context, partyOf(shown.secret), 5)),
  ],
  versions: async (context, shown) => [await versionsPanel(context, shown)],
  access: async (context, { secret }) => [
    await accessPanel(context, secret),
    ...explainLink(context, secret),
    ...(await recentEvents(context, partyOf(secret), 10)),
  ],
  rotation: async (context, shown) => [
    rotationFacts(context, shown),
    ...schedulePanel(context, shown).map(({ intro: _, ...panel }) => panel),
  ],
  settings: async (context, { secret }) => [settingsPanel(context, secret), ...elsewherePanel(secret)],
};

/** Whether there is no value here, because another system stores it. */
const isElsewhere = ({ current_version, location }: Secret) => current_version === 0 && location !== null;

// Each view of the page is recorded, and would hide what was done.
const partyOf = ({ path }: Secret) =>
  ({ kind: 'secret', id: path, reference: `secret:${path}`, except: 'secret.described' }) as const;

function badgesOf({ deps }: RequestContext, { secret, consumers }: Shown): Cell[] {
  const behind = consumersBehind(consumers, secret.current_version).length;
  return [
    readableCell(secret),
    ...(behind > 0 ? [cell.warn(`${counted(behind, 'consumer')} on earlier versions`)] : []),
    ...dueBadge(secret, deps.now()),
  ];
}

function lineOf(context: RequestContext, { secret, consumers }: Shown): Cell[] {
  const { environment, owner, risk, created_at, current_version } = secret;
  const [last] = consumers.items;
  return [
    ...(environment ? [cell.text(environment)] : []),
    ...(owner ? [cell.after('owned by', ownerCell(context, owner))] : []),
    cell.timeAfter('created', created_at),
    ...(risk ? [cell.text(`rotation every ${riskDays[risk]} days`)] : []),
    ...(current_version === 0 && !last ? [] : [lastReadCell(last?.last_read_at)]),
  ];
}

const lastReadCell = (at: Date | undefined) =>
  at ? cell.timeAfter('last read', at) : cell.text('not read in the last 7 days');

const mostNamed = 3;

/** Consumers that still read an earlier version, by name. */
async function warningOf(context: RequestContext, { secret, consumers }: Shown): Promise<DetailPage['warning']> {
  const behind = consumersBehind(consumers, secret.current_version);
  if (behind.length === 0) return undefined;
  const named = behind.slice(0, mostNamed);
  const cells = await partyCells(context, named);
  const names = named.flatMap((item) => textIn(cells.get(item)));
  const others = behind.length - named.length;
  const all = others > 0 ? [...names, counted(others, 'other')] : names;
  return {
    fact: `${counted(behind.length, 'consumer')} last read an earlier version than v${secret.current_version}:`,
    words: `${all.join(', ')}.`,
    link: { text: 'See consumers', href: `${secretPath(secret.path)}?tab=access` },
  };
}

const textIn = (shown: Cell | undefined): string[] => (shown && 'text' in shown ? [shown.text] : []);

function actionsOf(context: RequestContext, { secret, rights }: Shown): ActionLink[] {
  const { path, current_version } = secret;
  const isHere = !isElsewhere(secret);
  const at = secretPath(path);
  const live = liveVersions(secret);
  const previous = live.filter(({ number }) => number < current_version).at(-1);
  const write = { route: 'POST /secrets/{path}/versions', verbs: ['write'], danger: false } as const;
  const settings = { route: 'PATCH /secrets/{path}', verbs: ['list', 'write'], danger: false } as const;
  const edit = { ...settings, label: 'Edit settings', href: `${at}/change` };
  const record = { ...settings, label: 'Record replacement', href: `${at}/replaced`, isMain: true } as const;
  const next = { ...write, label: 'New version', href: `${at}/new-version` };
  return allowedLinks(context, { rights, path }, [
    ...(live.length > 0 ? [revealLink(path)] : []),
    ...(isHere ? [{ ...next, isMain: true as const }] : [edit, record, { ...next, label: 'Store it here' }]),
    { ...write, label: 'Generate version', href: `${at}/generate` },
    ...(previous ? [rollbackLink(path, previous.number)] : []),
    ...(isHere ? [edit] : []),
  ]);
}

function dangerOf(context: RequestContext, { secret: { path }, rights }: Shown): DangerousAction[] {
  return allowedLinks(context, { rights, path }, [
    {
      ...{ route: 'DELETE /secrets/{path}', verbs: ['list', 'destroy'], danger: true },
      ...{ label: 'Delete secret', href: `${secretPath(path)}/delete` },
    },
  ]).map((link) => ({
    ...link,
    words: 'Deletes all versions with their keys. Their values cannot be recovered from this database.',
    button: 'Delete secret',
  }));
}
