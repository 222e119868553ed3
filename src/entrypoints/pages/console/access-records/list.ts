import { listKeyNames } from '../../../../domain/api-keys/index.ts';
import { listClientNames } from '../../../../domain/clients/index.ts';
import { listUsernames } from '../../../../domain/users/index.ts';
import type { AdminAnswer } from '../../../admin/index.ts';
import * as cell from '../../records/cells.ts';
import { choiceFilter } from '../../records/filters.ts';
import type { Cell } from '../../records/page-shapes.ts';
import { shortId } from '../../words.ts';
import { keyPath } from '../api-keys/addresses.ts';
import { clientPath } from '../clients/client.ts';
import type { List } from '../lists.ts';
import { rangeFilters, rangeIn } from '../ranges.ts';
import type { RequestContext } from '../request-context.ts';
import { pathOfSubject } from '../users/user.ts';

type AccessRecord = AdminAnswer<'GET /access-records'>['items'][number];

const kinds: Record<string, string> = {
  verification: 'API key verified',
  introspection: 'Token introspected',
  userinfo: 'User info read',
  exchange: 'API key exchanged',
};

const outcomes: Record<string, Cell> = {
  active: cell.good('Accepted'),
  inactive: cell.warn('Inactive'),
  refused: cell.bad('Refused'),
};

export const accessRecordList: List = {
  heading: 'Access records',
  intro: 'Each use of an API key or a token that this server checked, with its caller, address and result.',
  noun: 'record',
  icon: 'access',
  columns: [
    { label: 'Time', sort: '-occurred_at' },
    { label: 'Check' },
    { label: 'Result' },
    { label: 'Credential' },
    { label: 'Used by' },
    { label: 'Caller' },
    { label: 'Address' },
    { label: 'Uses', is_number: true },
  ],
  sort: '-occurred_at',
  filters: [
    choiceFilter({ name: 'kind', label: 'Check', any: 'All checks' }, kinds),
    choiceFilter(
      { name: 'outcome', label: 'Result', any: 'All results' },
      { active: 'Accepted', inactive: 'Inactive', refused: 'Refused' },
    ),
    { name: 'credential', label: 'API key ID or token ID', options: [] },
    { name: 'client', label: 'Client ID', options: [] },
    { name: 'address', label: 'Address', options: [] },
    ...rangeFilters,
  ],
  empty: {
    heading: 'No access records yet',
    words: 'A record appears here when an API key or a token is checked.',
  },
  read: async (context, { range, from, to, ...query }) => {
    const within = rangeIn(context.deps.now(), { range, from, to });
    const { items, ...page } = await context.api.call('GET /access-records', { query: { ...query, ...within } });
    const names = await namesIn(context, items);
    return { rows: items.map((record) => rowOf(record, names)), ...page };
  },
};

type Names = Record<'users' | 'keys' | 'clients', ReadonlyMap<string, string>>;

const isUuid = (text: string) => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text);

/** The names of the users, API keys and clients of a page of records, in one query each. */
async function namesIn({ deps }: RequestContext, records: readonly AccessRecord[]): Promise<Names> {
  const userIds = records.flatMap(({ user_id }) => (user_id ? [user_id] : []));
  const credentials = records.flatMap(({ credential }) => (credential && isUuid(credential) ? [credential] : []));
  const clientIds = records.flatMap(({ client_id }) => (client_id ? [client_id] : []));
  const [users, keys, clients] = await Promise.all([
    listUsernames(deps.db, [...new Set(userIds)]),
    listKeyNames(deps.db, [...new Set(credentials)]),
    listClientNames(deps.db, [...new Set(clientIds)]),
  ]);
  return { users, keys, clients };
}

function rowOf(record: AccessRecord, names: Names): Cell[] {
  const { kind, outcome, occurred_at, address, uses, caller } = record;
  return [
    cell.time(occurred_at),
    cell.text(kinds[kind] ?? kind),
    outcomes[outcome] ?? cell.text(outcome),
    credentialOf(record, names),
    holderOf(record, names),
    caller ? cell.code(caller) : cell.text('The holder'),
    address ? cell.code(address) : cell.text(''),
    cell.number(uses),
  ];
}

function credentialOf({ credential }: AccessRecord, { keys }: Names): Cell {
  if (credential === null) return cell.text('Unknown');
  const name = keys.get(credential);
  if (name !== undefined) return cell.link(name, keyPath(credential));
  return cell.code(credential.length > 20 ? shortId(credential) : credential);
}

function holderOf({ user_id, client_id }: AccessRecord, { users, clients }: Names): Cell {
  if (user_id) return cell.link(users.get(user_id) ?? user_id, pathOfSubject(`id:${user_id}`));
  return client_id ? cell.link(clients.get(client_id) ?? client_id, clientPath(client_id)) : cell.text('');
}
