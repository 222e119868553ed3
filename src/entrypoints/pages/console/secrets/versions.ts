import * as cell from '../../records/cells.ts';
import type { ActionLink, Panel } from '../../records/page-shapes.ts';
import type { RouteName } from '../admin-client.ts';
import { allowedActions, type RequestContext } from '../request-context.ts';
import { secretPath, versionPath } from './addresses.ts';
import { type Consumers, type Secret, stateCell, type Version } from './secret.ts';

/** The versions of a secret, the newest first, with the actions on each. */
export async function versionsPanel(context: RequestContext, secret: Secret, consumers: Consumers): Promise<Panel> {
  const readsOf = (number: number) =>
    consumers.items.reduce((sum, { version, reads_24h }) => sum + (version === number ? reads_24h : 0), 0);
  return {
    heading: 'Versions',
    content: {
      kind: 'table',
      columns: [
        ...['Version', 'State', 'Created', 'Readable until'].map((label) => ({ label })),
        { label: 'Reads, 24 hours', is_number: true },
        { label: '' },
      ],
      rows: secret.versions
        .toReversed()
        .map((version) => [
          cell.text(`v${version.number}`),
          stateCell(version, secret.current_version),
          cell.time(version.created_at),
          endOf(version),
          cell.number(readsOf(version.number)),
          cell.menu(`v${version.number}`, actionsOf(context, secret, version)),
        ]),
      empty: 'No versions yet. Write the first one.',
    },
  };
}

function endOf({ destroyed_at, deleted_at, expires_at }: Version) {
  const at = destroyed_at ?? deleted_at ?? expires_at;
  return cell.time(at, 'No limit');
}

type Link = ActionLink & { route: RouteName };

function actionsOf(context: RequestContext, secret: Secret, version: Version): ActionLink[] {
  const { state } = version;
  const link = linksTo(secret.path, version);
  const links: Record<Version['state'], Link[]> = {
    live: [
      link.reveal,
      ...(version.number === secret.current_version ? [] : [link.rollback]),
      link.delete,
      link.destroy,
    ],
    deleted: [link.undelete, link.destroy],
    expired: [link.undelete, link.destroy],
    destroyed: [],
  };
  return allowedActions(context, links[state]);
}

function linksTo(path: string, { number }: Version) {
  const at = versionPath(path, number);
  const change = (name: 'delete' | 'undelete' | 'destroy', label: string): Link => ({
    route: `POST /secrets/{path}/versions/{number}/${name}`,
    label,
    href: `${at}/${name}`,
    danger: name !== 'undelete',
  });
  const reveal: Link = {
    route: 'GET /secrets/{path}/value',
    label: 'Reveal value',
    href: `${secretPath(path)}/reveal?version=${number}`,
    danger: false,
  };
  const rollback: Link = {
    route: 'POST /secrets/{path}/rollback',
    label: `Roll back to v${number}`,
    href: `${at}/rollback`,
    danger: false,
  };
  return {
    reveal,
    rollback,
    delete: change('delete', 'Delete version'),
    undelete: change('undelete', 'Undelete version'),
    destroy: change('destroy', 'Destroy version'),
  };
}
