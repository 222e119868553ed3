import type { SecretRights } from '../../../../domain/secrets/index.ts';
import * as cell from '../../records/cells.ts';
import { addressOf } from '../../records/lists.ts';
import type { ActionLink, Cell, Panel } from '../../records/page-shapes.ts';
import { one } from '../../signed-in.ts';
import { figure } from '../../words.ts';
import type { RequestContext } from '../request-context.ts';
import { secretPath, versionPath } from './addresses.ts';
import { type Consumers, partyCells, readersPath } from './consumers.ts';
import { allowedLinks, type Secret, type SecretLink, stateCell, type Version } from './secret.ts';

type Shown = { secret: Secret; rights: SecretRights; consumers: Consumers };

const versionsPath = (path: string, query: Record<string, string> = {}) =>
  addressOf(secretPath(path), { tab: 'versions', ...query });

const mostShort = 5;
const perPage = 25;

/** The latest versions, for the overview. */
export async function shortVersionsPanel(context: RequestContext, shown: Shown): Promise<Panel> {
  const { path, versions } = shown.secret;
  const link = { text: `All ${figure(versions.length)}`, href: versionsPath(path) };
  return {
    heading: 'Versions',
    ...(versions.length > mostShort && { link }),
    content: await table(context, shown, versions.toReversed().slice(0, mostShort)),
  };
}

/** The versions of a secret, the newest first, with the actions on each. */
export async function versionsPanel(context: RequestContext, shown: Shown): Promise<Panel> {
  const { path, versions } = shown.secret;
  const last = Math.max(1, Math.ceil(versions.length / perPage));
  const page = Math.min(last, Math.max(1, Math.trunc(Number(one(context.ctx.query.page))) || 1));
  const from = (page - 1) * perPage;
  const rows = versions.toReversed().slice(from, from + perPage);
  const pageAt = (number: number) => versionsPath(path, number > 1 ? { page: String(number) } : {});
  return {
    heading: 'Versions',
    content: {
      ...(await table(context, shown, rows)),
      next: page < last ? pageAt(page + 1) : undefined,
      previous: page > 1 ? pageAt(page - 1) : undefined,
      shown: `${from + 1}–${from + rows.length} of ${figure(versions.length)}`,
    },
  };
}

async function table(context: RequestContext, shown: Shown, versions: readonly Version[]) {
  const { secret, consumers } = shown;
  const authors = versions.map(({ created_by_kind: kind, created_by_id: id }) => ({ kind, id }));
  const cells = await partyCells(context, authors);
  const author = (n: number): Cell => (authors[n] && cells.get(authors[n])) ?? cell.text('');
  const readsOf = (number: number) =>
    consumers.items.reduce((sum, { version, reads_24h }) => sum + (version === number ? reads_24h : 0), 0);
  return {
    kind: 'table' as const,
    columns: [
      ...['Version', 'State', 'Written by', 'Created', 'Readable until'].map((label) => ({ label })),
      { label: 'Reads, 24 hours', is_number: true },
      { label: '' },
    ],
    rows: versions.map((version, n) => [
      cell.text(`v${version.number}`),
      stateCell(version, secret.current_version),
      author(n),
      cell.time(version.created_at),
      endOf(version),
      cell.number(readsOf(version.number)),
      cell.menu(`v${version.number}`, actionsOf(context, shown, version)),
    ]),
    empty: 'No versions yet. Write the first one.',
  };
}

function endOf({ destroyed_at, deleted_at, expires_at }: Version) {
  const at = destroyed_at ?? deleted_at ?? expires_at;
  return cell.time(at, 'No limit');
}

function actionsOf(context: RequestContext, { secret, rights }: Shown, version: Version): ActionLink[] {
  const { state } = version;
  const link = linksTo(secret.path, version);
  const links: Record<Version['state'], SecretLink[]> = {
    live: [
      link.reveal,
      ...(version.number === secret.current_version ? [] : [link.rollback]),
      link.readers,
      link.delete,
      link.destroy,
    ],
    deleted: [link.readers, link.undelete, link.destroy],
    expired: [link.readers, link.undelete, link.destroy],
    destroyed: [link.readers],
  };
  return allowedLinks(context, { rights, path: secret.path }, links[state]);
}

/** A link to the page that shows the value of a version; by default, of the current one. */
export function revealLink(path: string, query: { version?: string } = {}): SecretLink {
  return {
    ...{ route: 'GET /secrets/{path}/value', verbs: ['read'], danger: false },
    ...{ label: 'Reveal value', href: addressOf(`${secretPath(path)}/reveal`, query) },
  };
}

/** A link to the page that writes the value of a version again. */
export function rollbackLink(path: string, number: number): SecretLink {
  return {
    ...{ route: 'POST /secrets/{path}/rollback', verbs: ['read', 'write'], danger: false },
    ...{ label: `Roll back to v${number}`, href: `${versionPath(path, number)}/rollback` },
  };
}

function linksTo(path: string, { number }: Version) {
  const at = versionPath(path, number);
  const change = (name: 'delete' | 'undelete' | 'destroy', label: string): SecretLink => ({
    ...{ route: `POST /secrets/{path}/versions/{number}/${name}`, verbs: [name === 'destroy' ? name : 'delete'] },
    ...{ label, href: `${at}/${name}`, danger: name !== 'undelete' },
  });
  const readers: SecretLink = {
    ...{ route: 'GET /secrets/{path}/consumers', verbs: ['list'], danger: false },
    ...{ label: 'View consumers', href: readersPath(path, number) },
  };
  return {
    ...{ reveal: revealLink(path, { version: String(number) }), readers, rollback: rollbackLink(path, number) },
    delete: change('delete', 'Delete version'),
    undelete: change('undelete', 'Undelete version'),
    destroy: change('destroy', 'Destroy version'),
  };
}
