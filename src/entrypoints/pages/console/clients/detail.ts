import { permissionsToRevoke } from '../../../../domain/revocation/index.ts';
import * as cell from '../../records/cells.ts';
import { noticeIn } from '../../records/notices.ts';
import type { Cell, DetailPage, Fact } from '../../records/page-shapes.ts';
import { allowedActions, type RequestContext, showInConsole } from '../request-context.ts';
import { rolesTable } from '../roles/assignments.ts';
import { pathOfSubject } from '../users/user.ts';
import { type Client, clientPath, kinds, nameOf, usesSecret } from './client.ts';
import { secretsTable } from './secrets-table.ts';

/** One client: what it is and may, its secrets, and what can be done with it. */
export async function showClient(context: RequestContext): Promise<void> {
  const { api, ctx, params } = context;
  const client_id = params.client_id ?? '';
  const client = await api.call('GET /clients/{client_id}', { params: { client_id } });
  const page: DetailPage = {
    crumb: context.crumb,
    heading: 'What is',
    name: nameOf(client),
    notice: noticeIn(ctx),
    facts: factsOf(client),
    tables: [
      ...(usesSecret(client) ? [await secretsTable(context, client)] : []),
      ...(client.type === 'service' ? await rolesTable(context, { kind: 'client', subject: client_id }) : []),
    ],
    actions: actionsOf(context, client),
  };
  showInConsole(context, 'console-detail', page);
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
  return cell.link(owner.user, pathOfSubject(owner.user));
}

function actionsOf(context: RequestContext, { client_id, enabled }: Client) {
  const path = clientPath(client_id);
  return allowedActions(context, [
    {
      route: 'PATCH /clients/{client_id}',
      label: 'Change',
      href: `${path}/change`,
      danger: false,
      words: 'Its name, where it sends people, and what it may',
    },
    {
      route: 'POST /revocations',
      needs: permissionsToRevoke.client_id,
      label: 'Revoke everything it holds',
      href: `${path}/revoke`,
      danger: true,
      words: 'All its tokens end; it stays enabled and can get others',
    },
    enabled
      ? {
          route: 'POST /clients/{client_id}/disable',
          label: 'Disable',
          href: `${path}/disable`,
          danger: true,
          words: 'It cannot sign in, and none of its tokens works',
        }
      : {
          route: 'PATCH /clients/{client_id}',
          label: 'Enable',
          href: `${path}/enable`,
          danger: false,
          words: 'It can sign in again; its old tokens stay dead',
        },
  ]);
}
