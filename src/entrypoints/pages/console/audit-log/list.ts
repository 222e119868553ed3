import type { z } from 'zod';
import { asId } from '../../../../domain/access/index.ts';
import type { EventView } from '../../../../domain/audit/index.ts';
import { findUser, findUserById } from '../../../../domain/users/index.ts';
import * as cell from '../../records/cells.ts';
import type { Cell } from '../../records/page-shapes.ts';
import { clientPath } from '../clients/client.ts';
import type { List } from '../lists.ts';
import type { RequestContext } from '../request-context.ts';
import { rolePath } from '../roles/role.ts';
import { userPath } from '../users/user.ts';

type Event = z.output<typeof EventView>;

export const auditEventList: List = {
  heading: 'Audit log',
  intro: 'Sign-ins, tokens and administrative actions, newest first.',
  noun: 'event',
  icon: 'log',
  columns: [{ label: 'Time' }, { label: 'Action' }, { label: 'Actor' }, { label: 'Target' }, { label: 'Address' }],
  search: 'Request ID, target, address or text',
  filters: [
    { name: 'actor', label: 'Actor: a user, or client:…', options: [] },
    { name: 'target', label: 'Target: a user, or client:…', options: [] },
    { name: 'action', label: 'Action', options: [] },
    {
      name: 'outcome',
      label: 'Outcome',
      options: [
        { value: '', text: 'All outcomes' },
        { value: 'success', text: 'Success' },
        { value: 'failure', text: 'Failure' },
      ],
    },
  ],
  empty: { heading: 'No events yet', words: 'Events appear here as they happen.' },
  read: async (context, { q: text, actor, target, action, outcome, cursor }) => {
    const [by, to] = await Promise.all([partyIn(context, actor), partyIn(context, target)]);
    const parties = { actor: by.id, actor_kind: by.kind, target: to.id, target_kind: to.kind };
    const named = { text, ...parties, action, outcome, cursor };
    const query = Object.fromEntries(Object.entries(named).flatMap(([name, value]) => (value ? [[name, value]] : [])));
    const { items, next } = await context.api.call('GET /audit/events', { query });
    const names = await namesIn(context, items);
    return { rows: items.map((event) => rowOf(event, names)), next };
  },
};

type Party = { id?: string; kind?: string };

/**
 * Whom a text names. `client:…`, `api_key:…` and so on is an id as events of that kind hold it; an id alone is the same in
 * every kind; anything else is a user, whose id events hold.
 */
async function partyIn({ deps }: RequestContext, text: string | undefined): Promise<Party> {
  if (text === undefined) return {};
  const [, kind, id] = /^([a-z_]+):(.+)$/.exec(text) ?? [];
  if (kind && id && !userPrefixes.includes(kind)) return { kind, id };
  if (!kind && asId(text) !== undefined) return { id: text };
  return { kind: 'user', id: (await findUser(deps.db, text))?.id ?? text };
}

const userPrefixes = ['id', 'username', 'email'];

type Names = ReadonlyMap<string, string>;

/** The usernames of people in events. */
async function namesIn({ deps }: RequestContext, events: readonly Event[]): Promise<Names> {
  const ids = events.flatMap(({ actor_kind, actor_id, target_kind, target_id }) => [
    ...(actor_kind === 'user' && actor_id ? [actor_id] : []),
    ...(target_kind === 'user' && target_id ? [target_id] : []),
  ]);
  const people = await Promise.all([...new Set(ids)].map((id) => findUserById(deps.db, id)));
  return new Map(people.flatMap((person) => (person ? [[person.id, person.username] as const] : [])));
}

function rowOf(event: Event, names: Names): Cell[] {
  const { occurred_at, action, outcome, actor_kind, actor_id, target_kind, target_id, address } = event;
  return [
    cell.time(occurred_at),
    outcome === 'failure' ? cell.bad(action) : cell.code(action),
    whoOf(actor_kind, actor_id, names),
    target_kind ? whoOf(target_kind, target_id, names) : cell.text(''),
    address ? cell.code(address) : cell.text(''),
  ];
}

function whoOf(kind: string, id: string | null, names: Names): Cell {
  const username = id === null ? undefined : names.get(id);
  if (kind === 'user' && username) return cell.link(username, userPath(username));
  if (kind === 'client' && id !== null) return cell.link(id, clientPath(id));
  if (kind === 'role' && id !== null) return cell.link(id, rolePath(id));
  return cell.text(id === null ? kind : `${kind} ${id}`);
}
