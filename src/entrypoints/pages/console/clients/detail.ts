import { z } from 'zod';
import { ClientView, isSecretMethod, SecretView } from '../../../../domain/clients/index.ts';
import { permissionsToEnd } from '../../../../domain/revocation/index.ts';
import { pageOf } from '../../../../platform/http/index.ts';
import * as cell from '../../records/cells.ts';
import { noticeIn } from '../../records/notices.ts';
import type { Cell, DetailPage, Fact, Table } from '../../records/page-shapes.ts';
import type { List } from '../lists.ts';
import type { Placed } from '../page-data.ts';
import { allowedActs, type Place, showInConsole } from '../request-context.ts';
import { rolesTable } from '../roles/assignments.ts';

export type Client = z.output<typeof ClientView>;
export type Secret = z.output<typeof SecretView>;

const kinds: Record<Client['type'], string> = {
  web: 'web app',
  spa: 'single-page app',
  native: 'native app',
  service: 'service',
};

export const section = 'clients' as const;
export const crumb = { text: 'Clients', href: '/console/clients' };
export const clientPath = (client_id: string) => `/console/clients/${encodeURIComponent(client_id)}`;

export function nameOf({ client_name, client_id }: Client): string {
  return typeof client_name === 'string' ? client_name : client_id;
}

export const clientList: List = {
  section,
  heading: 'Which clients are registered?',
  intro: 'Applications that people use, and services that act for themselves.',
  columns: ['Name', 'Kind', 'State', 'Registered'],
  search: 'Name or client_id',
  filters: [
    {
      name: 'type',
      label: 'Kind',
      options: [
        { value: '', text: 'every kind' },
        ...Object.entries(kinds).map(([value, text]) => ({ value, text: `${text}s` })),
      ],
    },
    {
      name: 'enabled',
      label: 'State',
      options: [
        { value: '', text: 'in every state' },
        { value: 'true', text: 'enabled' },
        { value: 'false', text: 'disabled' },
      ],
    },
  ],
  sorts: [
    { value: 'client_id', text: 'client_id' },
    { value: '-created_at', text: 'newest' },
  ],
  empty: 'No client is registered yet. Register one here, with “latchkey apply” or with POST /admin/v1/clients.',
  acts: [
    {
      does: 'POST /clients',
      label: 'Register a client',
      href: '/console/new-client',
      danger: false,
      words: 'An app or a service',
    },
  ],
  read: async ({ calls }, query) => {
    const { items, next } = await calls.read('GET /clients', pageOf(ClientView), { query });
    return { rows: items.map(rowOf), next };
  },
};

function rowOf(client: Client): Cell[] {
  return [
    cell.link(nameOf(client), clientPath(client.client_id), client.client_id),
    cell.text(kinds[client.type]),
    cell.enabled(client.enabled),
    cell.time(client.created_at),
  ];
}

/** One client: what it is and may, its secrets, and what can be done with it. */
export async function showClient(place: Place): Promise<void> {
  const { calls, ctx, params } = place;
  const client_id = params.client_id ?? '';
  const client = await calls.read('GET /clients/{client_id}', ClientView, { params: { client_id } });
  const page: DetailPage & Placed = {
    section,
    crumb,
    heading: 'What is',
    name: nameOf(client),
    notice: noticeIn(ctx),
    facts: factsOf(client),
    tables: [
      ...(usesSecret(client) ? [await secretsTable(place, client)] : []),
      ...(client.type === 'service' ? await rolesTable(place, { kind: 'client', subject: client_id }) : []),
    ],
    acts: actsOf(place, client),
  };
  showInConsole(place, 'console-detail', page);
}

export function usesSecret({ token_endpoint_auth_method }: Client): boolean {
  return isSecretMethod(token_endpoint_auth_method);
}

function factsOf(client: Client): Fact[] {
  const {
    allowed_cors_origins,
    redirect_uris,
    scope,
    resources,
    service_permissions,
    introspects,
    token_endpoint_auth_method,
  } = client;
  const lists = (value: unknown) => (Array.isArray(value) ? value.map(String) : []);
  const perApi = (label: string, rights: Record<string, string[]>): Fact[] =>
    Object.entries(rights).map(([api, patterns]) => ({ label, cell: cell.codesAt(api, patterns) }));
  return [
    { label: 'client_id', cell: cell.copied(client.client_id) },
    {
      label: 'Kind',
      cell: cell.text(`${kinds[client.type]}${client.first_party ? ', our own: nobody is asked' : ''}`),
    },
    { label: 'State', cell: cell.enabled(client.enabled) },
    { label: 'Owner', cell: ownerCell(client) },
    { label: 'Risk', cell: cell.text(client.risk ?? 'not classified') },
    { label: 'Signs in with', cell: cell.code(String(token_endpoint_auth_method ?? 'none')) },
    ...(lists(redirect_uris).length > 0 ? [{ label: 'Sends people to', cell: cell.codes(lists(redirect_uris)) }] : []),
    ...(lists(allowed_cors_origins).length > 0
      ? [{ label: 'Allowed CORS origins', cell: cell.codes(lists(allowed_cors_origins)) }]
      : []),
    ...(typeof scope === 'string' ? [{ label: 'Asks about people', cell: cell.codes(scope.split(' ')) }] : []),
    ...perApi('For people', resources),
    ...perApi('For itself', service_permissions),
    ...(introspects.length > 0 ? [{ label: 'Introspects for', cell: cell.codes(introspects) }] : []),
    ...(client.tokens_valid_after ? [{ label: 'Tokens ended', cell: cell.time(client.tokens_valid_after) }] : []),
    { label: 'Registered', cell: cell.time(client.created_at) },
    { label: 'Changed', cell: cell.time(client.updated_at) },
  ];
}

function ownerCell({ owner }: Client): Cell {
  if (!owner) return cell.text('nobody');
  if ('client_id' in owner) return cell.link(owner.client_id, clientPath(owner.client_id));
  return cell.link(owner.user, `/console/people/${encodeURIComponent(owner.user)}`);
}

/** A secret as its list names it. */
export const secretName = ({ number, label }: Pick<Secret, 'number' | 'label'>): string => label ?? `Secret ${number}`;

export async function listSecretsOf({ calls }: Place, client_id: string): Promise<Secret[]> {
  const view = z.object({ items: z.array(SecretView) });
  return (await calls.read('GET /clients/{client_id}/secrets', view, { params: { client_id } })).items;
}

export function isLive({ revoked_at, expires_at }: Secret, now: Date): boolean {
  return !revoked_at && (!expires_at || expires_at > now);
}

async function secretsTable(place: Place, { client_id }: Client): Promise<Table> {
  const { deps, calls } = place;
  const now = deps.now();
  const mayRevoke = calls.may('POST /clients/{client_id}/secrets/{secret_id}/revoke');
  const secrets = await listSecretsOf(place, client_id);
  const path = clientPath(client_id);
  const rows = secrets.map((secret) => [
    cell.text(`${secret.number}${secret.label ? `: ${secret.label}` : ''}`),
    secret.last_four ? cell.code(`…${secret.last_four}`) : cell.text('not generated'),
    stateOf(secret, now),
    cell.time(secret.created_at),
    cell.time(secret.last_used_at),
    secret.revoked_at ? cell.time(secret.revoked_at) : cell.time(secret.expires_at),
    isLive(secret, now) && mayRevoke
      ? cell.act('Revoke', `${path}/secrets/${secret.id}/revoke`, `the secret ${secretName(secret)}`)
      : cell.text(''),
  ]);
  return {
    heading: 'Secrets',
    intro: 'Their values are stored nowhere. Several work side by side, so that a new one can be rolled out first.',
    columns: ['Secret', 'Ends in', 'State', 'Created', 'Last used', 'Expires', ''],
    rows,
    empty: 'It has no secret: it cannot sign in until you make one.',
    acts: allowedActs(place, [
      {
        does: 'POST /clients/{client_id}/secrets',
        label: 'Add a secret',
        href: `${path}/secrets/add`,
        danger: false,
        words: 'Beside the present ones',
      },
      {
        does: 'POST /clients/{client_id}/secrets/rotate',
        label: 'Rotate',
        href: `${path}/secrets/rotate`,
        danger: false,
        words: 'A new one; the present ones end after an overlap',
      },
    ]),
  };
}

function stateOf(secret: Secret, now: Date): Cell {
  if (secret.revoked_at) return cell.bad('revoked');
  return isLive(secret, now) ? cell.good('works') : cell.quiet('expired');
}

function actsOf(place: Place, { client_id, enabled }: Client) {
  const path = clientPath(client_id);
  return allowedActs(place, [
    {
      does: 'PATCH /clients/{client_id}',
      label: 'Change',
      href: `${path}/change`,
      danger: false,
      words: 'Its name, where it sends people, and what it may',
    },
    {
      does: 'POST /revocations',
      needs: permissionsToEnd.client_id,
      label: 'Revoke everything it holds',
      href: `${path}/revoke`,
      danger: true,
      words: 'All its tokens end; it stays enabled and can get others',
    },
    enabled
      ? {
          does: 'POST /clients/{client_id}/disable',
          label: 'Disable',
          href: `${path}/disable`,
          danger: true,
          words: 'It cannot sign in, and none of its tokens works',
        }
      : {
          does: 'PATCH /clients/{client_id}',
          label: 'Enable',
          href: `${path}/enable`,
          danger: false,
          words: 'It can sign in again; its old tokens stay dead',
        },
  ]);
}
