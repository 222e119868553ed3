import * as cell from '../../records/cells.ts';
import type { Cell } from '../../records/page-shapes.ts';
import type { List } from '../lists.ts';
import { secretPath } from './addresses.ts';
import { ownerCell } from './owners.ts';

type Row = { path: string; current_version: number; environment: string | null; risk: string | null; updated_at: Date };

export const secretList: List = {
  heading: 'Secrets',
  intro: 'Values that services read, encrypted, with versions. Each read is recorded before the value is sent.',
  noun: 'secret',
  icon: 'secret',
  columns: [
    { label: 'Path', sort: 'path' },
    { label: 'Version', is_number: true },
    { label: 'Environment' },
    { label: 'Risk' },
    { label: 'Owner' },
    { label: 'Updated', sort: '-updated_at' },
  ],
  sort: 'path',
  search: 'Path, description, environment or label',
  searchHint: 'Finds any part of the text.',
  filters: [{ name: 'prefix', label: 'Path begins with', options: [] }],
  empty: {
    heading: 'No secrets that you may list',
    words:
      'Create a secret, or ask for a role with permissions such as secrets:list:* at the API of the store. Services read values by Vault’s API or the latchkey command.',
  },
  actions: [
    { route: 'POST /secrets/{path}/versions', label: 'Create secret', href: '/console/new-secret', danger: false },
    {
      ...{
        route: 'POST /secrets/{path}/versions' as const,
        label: 'Generate secret',
        href: '/console/generate-secret',
      },
      ...{ danger: false, isPlain: true as const },
    },
    { route: 'POST /secret-searches', label: 'Find value', href: '/console/find-secret', danger: false, isPlain: true },
    { route: 'GET /vault', label: 'Seal', href: '/console/vault', danger: false, isPlain: true },
  ],
  read: async (context, query) => {
    const { items, ...page } = await context.api.call('GET /secrets', { query });
    return {
      rows: items.map((item) => [...rowOf(item), ownerCell(context, item.owner), cell.time(item.updated_at)]),
      ...page,
    };
  },
};

function rowOf({ path, current_version, environment, risk }: Row): Cell[] {
  return [
    cell.link(path, secretPath(path)),
    current_version === 0 ? cell.text('None') : cell.text(`v${current_version}`),
    cell.text(environment ?? ''),
    riskCell(risk),
  ];
}

function riskCell(risk: string | null): Cell {
  if (risk === 'high') return cell.warn('High');
  return cell.text(risk === null ? '' : `${risk.charAt(0).toUpperCase()}${risk.slice(1)}`);
}
