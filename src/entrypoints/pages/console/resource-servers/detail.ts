import { permissionsToRevoke } from '../../../../domain/revocation/index.ts';
import * as cell from '../../records/cells.ts';
import { noticeIn } from '../../records/notices.ts';
import type { DetailPage, Fact, Table } from '../../records/page-shapes.ts';
import { allowedActions, type RequestContext, showInConsole } from '../request-context.ts';
import { apiPath, getServer, type ResourceServer } from './resource-server.ts';

/** One API: what its tokens are, its scopes, and what can be done with it. */
export async function showResourceServer(context: RequestContext): Promise<void> {
  const server = await getServer(context);
  const page: DetailPage = {
    crumb: context.crumb,
    heading: 'What is',
    name: server.name,
    notice: noticeIn(context.ctx),
    facts: factsOf(server),
    tables: [scopesTable(server)],
    actions: actionsOf(context, server),
  };
  showInConsole(context, 'console-detail', page);
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
  return { heading: 'Scopes', columns: ['Scope', 'What people read', 'Is'], rows, empty, actions: [] };
}

function actionsOf(context: RequestContext, { identifier, enabled, built_in }: ResourceServer) {
  const path = apiPath(identifier);
  const revoke = {
    route: 'POST /revocations' as const,
    needs: permissionsToRevoke.resource_server,
    label: 'Revoke every token for it',
    href: `${path}/revoke`,
    danger: true,
    words: 'It stays enabled; clients can get others',
  };
  if (built_in) return allowedActions(context, [revoke]);
  return allowedActions(context, [
    {
      route: 'PATCH /resource-servers/{identifier}',
      label: 'Change',
      href: `${path}/change`,
      danger: false,
      words: 'Its name, its tokens and its scopes',
    },
    revoke,
    enabled
      ? {
          route: 'POST /resource-servers/{identifier}/disable',
          label: 'Disable',
          href: `${path}/disable`,
          danger: true,
          words: 'No token for it is issued, and none works',
        }
      : {
          route: 'PATCH /resource-servers/{identifier}',
          label: 'Enable',
          href: `${path}/enable`,
          danger: false,
          words: 'Tokens for it are issued again',
        },
  ]);
}
