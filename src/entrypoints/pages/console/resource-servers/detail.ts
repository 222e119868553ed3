import { permissionsToRevoke, revocationImpact } from '../../../../domain/revocation/index.ts';
import * as cell from '../../records/cells.ts';
import { noticeIn } from '../../records/notices.ts';
import type { DangerousAction, Fact } from '../../records/page-shapes.ts';
import { withImpact } from '../impact.ts';
import { recentEvents } from '../recent-events.ts';
import { allowedActions, type RequestContext, showInConsole } from '../request-context.ts';
import { asPolicy, methodsCell } from '../sign-in-methods.ts';
import { protectionPanel } from './protection.ts';
import { anyMethod, apiPath, formats, getServer, openTo, type ResourceServer, requiredAcr } from './resource-server.ts';
import { scopesPanel } from './scopes.ts';

/** One API: its tokens, its permissions, and how to protect it. */
export async function showResourceServer(context: RequestContext): Promise<void> {
  const server = await getServer(context);
  const path = apiPath(server.identifier);
  const actions = allowedActions(context, [
    {
      route: 'PATCH /resource-servers/{identifier}',
      label: 'Edit',
      href: `${path}/change`,
      danger: false,
    },
    ...(server.enabled
      ? []
      : [
          {
            route: 'PATCH /resource-servers/{identifier}' as const,
            label: 'Enable',
            href: `${path}/enable`,
            danger: false,
          },
        ]),
  ]);
  const party = {
    kind: 'resource_server',
    id: server.identifier,
    reference: `resource_server:${server.identifier}`,
  } as const;
  showInConsole(context, 'console-detail', {
    crumb: context.crumb,
    name: server.name,
    badges: [cell.enabled(server.enabled), ...(server.built_in ? [cell.quiet('Built in')] : [])],
    line: [cell.code(server.identifier)],
    notice: noticeIn(context.ctx),
    actions: server.built_in ? [] : actions,
    tabs: [],
    panels: [
      scopesPanel(context, server),
      ...(server.built_in ? [] : [protectionPanel(context.deps.issuer, server)]),
      ...(await recentEvents(context, party, 5)),
    ],
    aside: [{ heading: 'Details', content: { kind: 'facts', facts: factsOf(server) } }],
    danger: await dangerOf(context, server),
  });
}

function factsOf(server: ResourceServer): Fact[] {
  const { access_token_format: format, access_token_signing_alg: alg, access_token_ttl_seconds: seconds } = server;
  return [
    { label: 'Identifier', cell: cell.copied(server.identifier) },
    { label: 'Token format', cell: cell.text(`${formats[format]}${format === 'jwt' && alg ? `, ${alg}` : ''}`) },
    { label: 'Lifetime', cell: cell.text(seconds ? cell.duration(seconds) : 'Default of this server') },
    { label: 'Open to', cell: cell.text(openTo[server.open_to]) },
    { label: 'Needs a role', cell: cell.yesNo(server.assignment_required) },
    { label: 'Needs DPoP', cell: cell.yesNo(server.dpop_required) },
    { label: 'Sign-in', cell: cell.text(server.required_acr ? requiredAcr[server.required_acr] : anyMethod) },
    { label: 'Sign-in methods', cell: methodsCell(server.allowed_factors, asPolicy) },
    ...(server.tokens_valid_after ? [{ label: 'Tokens revoked', cell: cell.time(server.tokens_valid_after) }] : []),
    { label: 'Registered', cell: cell.time(server.created_at) },
    { label: 'Updated', cell: cell.time(server.updated_at) },
  ];
}

async function dangerOf(context: RequestContext, server: ResourceServer): Promise<DangerousAction[]> {
  const { identifier, enabled, built_in } = server;
  const path = apiPath(identifier);
  const [revoke] = allowedActions(context, [
    {
      route: 'POST /revocations',
      needs: permissionsToRevoke.resource_server,
      label: 'Revoke all tokens',
      href: `${path}/revoke`,
      danger: true,
      words: 'Revokes every token for it. It stays active, so clients can get new tokens.',
    },
  ]);
  const [disable] = allowedActions(context, [
    {
      route: 'POST /resource-servers/{identifier}/disable',
      label: 'Disable API',
      href: `${path}/disable`,
      danger: true,
      words: 'Revokes every token for it, and issues none until you enable it again.',
    },
  ]);
  const button = revoke
    ? withImpact('Revoke', await revocationImpact(context.deps, { resource_server: identifier }))
    : '';
  return [
    ...(revoke ? [{ ...revoke, button }] : []),
    ...(disable && enabled && !built_in ? [{ ...disable, button: 'Disable' }] : []),
  ];
}
