import type { CredentialKind } from '../../../../domain/credentials/index.ts';
import type { AdminAnswer } from '../../../admin/index.ts';
import * as cell from '../../records/cells.ts';
import { deviceName } from '../../records/devices.ts';
import { choiceFilter } from '../../records/filters.ts';
import type { Cell } from '../../records/page-shapes.ts';
import { shortId } from '../../words.ts';
import { mayDo } from '../administrator.ts';
import { keyPath } from '../api-keys/addresses.ts';
import { clientPath } from '../clients/client.ts';
import { grantPath } from '../grants/grant.ts';
import type { List } from '../lists.ts';
import type { RequestContext } from '../request-context.ts';
import { pathOfSubject } from '../users/user.ts';

type Credential = AdminAnswer<'GET /credentials'>['items'][number];

const states: Record<Credential['state'], Cell> = {
  active: cell.good('Active'),
  inactive: cell.quiet('Inactive'),
  expired: cell.quiet('Expired'),
  revoked: cell.quiet('Revoked'),
};

const stateNames = { active: 'Active', inactive: 'Inactive', expired: 'Expired', revoked: 'Revoked' };

/** Credentials of all kinds. */
export const credentialList = (kinds: readonly CredentialKind[]): List => ({
  heading: 'Credentials',
  intro:
    'Keys, secrets and reset links. Choose a type, a user or a client to see sessions, grants, passwords and tokens, too. Values are never shown.',
  noun: 'credential',
  icon: 'card',
  columns: [
    { label: 'Name', sort: 'name' },
    { label: 'Type' },
    { label: 'Owner' },
    { label: 'Risk' },
    { label: 'State' },
    { label: 'Last used', sort: '-last_used_at' },
    { label: 'Expires', sort: 'expires_at' },
    { label: 'Due', sort: 'due_at' },
    { label: '' },
  ],
  sort: '-created_at',
  search: 'Name, owner, location or id',
  filters: [
    choiceFilter(
      { name: 'kind', label: 'Type', any: 'All types' },
      Object.fromEntries(kinds.map(({ kind, label }) => [kind, label])),
    ),
    choiceFilter({ name: 'state', label: 'State', any: 'All states' }, stateNames),
    choiceFilter({ name: 'due', label: 'Rotation', any: 'Due or not' }, { true: 'Due' }),
    { name: 'user', label: 'User', options: [] },
    { name: 'client_id', label: 'Client', options: [] },
  ],
  empty: { heading: 'No credentials yet', words: 'Keys, secrets and reset links appear here.' },
  read: async (context, query) => {
    const { items, ...page } = await context.api.call('GET /credentials', { query });
    return { rows: items.map((item) => rowOf(context, kinds, item)), ...page };
  },
});

function rowOf({ deps, who }: RequestContext, kinds: readonly CredentialKind[], item: Credential): Cell[] {
  const kind = kinds.find((each) => each.kind === item.kind);
  const mayRevoke =
    kind?.revoke &&
    mayDo(who, kind.revoke.permission) &&
    mayDo(who, 'latchkey:token:revoke') &&
    ['active', 'inactive'].includes(item.state);
  const isDue = item.due_at !== null && item.due_at <= deps.now() && item.state === 'active';
  return [
    nameCell(item),
    cell.text(kind?.label ?? item.kind),
    ownerCell(item),
    cell.text(item.risk ?? ''),
    states[item.state],
    cell.time(item.last_used_at, ''),
    cell.time(item.expires_at),
    isDue ? cell.warn('Due') : cell.time(item.due_at, ''),
    mayRevoke ? cell.action('Revoke', revokePath(item), nameOf(item)) : cell.text(''),
  ];
}

const revokePath = ({ kind, id }: Pick<Credential, 'kind' | 'id'>): string =>
  `/console/credentials/${kind}/${encodeURIComponent(id)}/revoke`;

/** Its display name; a session is shown by its browser. */
export function nameOf({ kind, name, version }: Credential): string {
  if (kind === 'session') return deviceName(name);
  return kind === 'client_secret' && version !== null && !name.endsWith(` ${version}`) ? `${name} (${version})` : name;
}

/** Kinds with a page of their own in the console. */
const pages: Readonly<Record<string, (item: Credential) => string>> = {
  api_key: ({ id }) => keyPath(id),
  grant: ({ id }) => grantPath(id),
  client_secret: ({ owner }) => clientPath(owner?.name ?? ''),
};

function nameCell(item: Credential): Cell {
  const shown = item.id.length > 20 ? shortId(item.id) : item.id;
  const page = pages[item.kind]?.(item);
  return page ? cell.link(nameOf(item), page, shown) : cell.text(`${nameOf(item)} · ${item.location ?? shown}`);
}

function ownerCell({ owner }: Credential): Cell {
  if (!owner) return cell.text('');
  const path = owner.kind === 'user' ? pathOfSubject(owner.id) : clientPath(owner.name);
  return cell.link(owner.name, path);
}
