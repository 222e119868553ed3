import type { z } from 'zod';
import { ResourceServerView } from '../../../../domain/resource-servers/index.ts';
import { permissionsToEnd } from '../../../../domain/revocation/index.ts';
import { pageOf } from '../../../../platform/http/index.ts';
import * as cell from '../../records/cells.ts';
import { noticeIn } from '../../records/notices.ts';
import type { DetailPage, Fact, Table } from '../../records/page-shapes.ts';
import type { List } from '../lists.ts';
import { ownerActs } from '../owner-actions.ts';
import type { Placed } from '../page-data.ts';
import { allowedActs, type Place, showInConsole } from '../request-context.ts';

export type ResourceServer = z.output<typeof ResourceServerView>;

export const section = 'apis' as const;
export const crumb = { text: 'APIs', href: '/console/apis' };
export const apiPath = (identifier: string) => `/console/apis/${encodeURIComponent(identifier)}`;

export const resourceServerList: List = {
  section,
  heading: 'Which APIs are protected?',
  intro: 'What clients get tokens for: audiences with their scopes.',
  columns: ['Name', 'Tokens', 'Scopes', 'State'],
  search: 'Name or identifier',
  empty: 'No API is registered yet. Register one here, with “latchkey apply” or with POST /admin/v1/resource-servers.',
  acts: [
    {
      does: 'POST /resource-servers',
      label: 'Register an API',
      href: '/console/new-api',
      danger: false,
      words: 'An audience with its scopes',
    },
  ],
  read: async ({ calls }, query) => {
    const { items, next } = await calls.read('GET /resource-servers', pageOf(ResourceServerView), { query });
    const rows = items.map(({ identifier, name, access_token_format, scopes, enabled }) => [
      cell.link(name, apiPath(identifier), identifier),
      cell.text(access_token_format),
      cell.text(String(scopes.length)),
      cell.enabled(enabled),
    ]);
    return { rows, next };
  },
};

/** The API that an address names. */
export function getServer({ calls, params: { identifier = '' } }: Place): Promise<ResourceServer> {
  return calls.read('GET /resource-servers/{identifier}', ResourceServerView, { params: { identifier } });
}

/** One API: what its tokens are, its scopes, and what can be done with it. */
export async function showResourceServer(place: Place): Promise<void> {
  const server = await getServer(place);
  const page: DetailPage & Placed = {
    section,
    crumb,
    heading: 'What is',
    name: server.name,
    notice: noticeIn(place.ctx),
    facts: factsOf(server),
    tables: [scopesTable(server)],
    acts: actsOf(place, server),
  };
  showInConsole(place, 'console-detail', page);
}

function factsOf(server: ResourceServer): Fact[] {
  const { access_token_format: format, access_token_signing_alg: alg, access_token_ttl_seconds: seconds } = server;
  return [
    { label: 'Identifier', cell: cell.copied(server.identifier) },
    { label: 'State', cell: cell.enabled(server.enabled) },
    { label: 'Tokens', cell: cell.text(format === 'jwt' ? `JWT${alg ? `, signed with ${alg}` : ''}` : 'opaque') },
    { label: 'They last', cell: cell.text(seconds ? cell.duration(seconds) : 'as long as this server says') },
    { label: 'Needs a role', cell: cell.yesNo(server.assignment_required) },
    { label: 'Needs DPoP', cell: cell.yesNo(server.dpop_required) },
    ...(server.tokens_valid_after ? [{ label: 'Tokens ended', cell: cell.time(server.tokens_valid_after) }] : []),
    { label: 'Registered', cell: cell.time(server.created_at) },
    { label: 'Changed', cell: cell.time(server.updated_at) },
  ];
}

function scopesTable({ scopes }: ResourceServer): Table {
  const rows = scopes.map(({ name, description, default: isDefault, optional, sensitive }) => [
    cell.code(name),
    cell.text(description ?? ''),
    cell.text([isDefault && 'default', optional && 'optional', sensitive && 'sensitive'].filter(Boolean).join(', ')),
  ]);
  const empty = 'It has no scopes yet: clients can ask for nothing of it.';
  return { heading: 'Scopes', columns: ['Scope', 'What people read', 'Is'], rows, empty, acts: [] };
}

function actsOf(place: Place, { identifier, enabled, built_in }: ResourceServer) {
  const path = apiPath(identifier);
  const revoke = {
    does: 'POST /revocations' as const,
    needs: permissionsToEnd.resource_server,
    label: 'Revoke every token for it',
    href: `${path}/revoke`,
    danger: true,
    words: 'It stays enabled; clients can get others',
  };
  if (built_in) return allowedActs(place, [revoke]);
  return allowedActs(place, [
    {
      does: 'PATCH /resource-servers/{identifier}',
      label: 'Change',
      href: `${path}/change`,
      danger: false,
      words: 'Its name, its tokens and its scopes',
    },
    revoke,
    enabled
      ? {
          does: 'POST /resource-servers/{identifier}/disable',
          label: 'Disable',
          href: `${path}/disable`,
          danger: true,
          words: 'No token for it is issued, and none works',
        }
      : {
          does: 'PATCH /resource-servers/{identifier}',
          label: 'Enable',
          href: `${path}/enable`,
          danger: false,
          words: 'Tokens for it are issued again',
        },
  ]);
}

/** What can be done with an API. */
export const resourceServerActs = ownerActs({
  path: '/apis/:identifier',
  find: async (place) => {
    const { identifier, name, enabled, version } = await getServer(place);
    const framed = { section, crumb, name, back: apiPath(identifier) };
    return { framed, enabled, version, handle: { resource_server: identifier } };
  },
  params: ({ params: { identifier = '' } }) => ({ identifier }),
  disable: {
    route: 'POST /resource-servers/{identifier}/disable',
    words: 'No client gets a token for it any more. Enabling it later does not bring back what ends now.',
  },
  enable: {
    route: 'PATCH /resource-servers/{identifier}',
    words: 'Clients get tokens for it again. Tokens from before it was disabled stay dead.',
  },
  revoke: {
    heading: 'Revoke every token for',
    words: 'Clients get another one as soon as they ask, without anybody noticing: this is for tokens that leaked.',
  },
});
