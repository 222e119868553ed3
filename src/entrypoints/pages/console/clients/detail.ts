import { permissionsToRevoke, revocationImpact } from '../../../../domain/revocation/index.ts';
import * as cell from '../../records/cells.ts';
import { noticeIn } from '../../records/notices.ts';
import type { DangerousAction, Panel } from '../../records/page-shapes.ts';
import { tabsIn } from '../../records/tabs.ts';
import { usagePanel } from '../../records/usage-panel.ts';
import { keysPanel } from '../api-keys/keys-panel.ts';
import { consentsPanel } from '../consents/consents-panel.ts';
import { withImpact } from '../impact.ts';
import { recentEvents } from '../recent-events.ts';
import { allowedActions, type RequestContext, showInConsole } from '../request-context.ts';
import { rolesPanel } from '../roles/assignments.ts';
import { type Client, clientPath, findClient, kinds, nameOf, usesSecret } from './client.ts';
import { configurationFacts, ownerCell, permissionPanels } from './configuration.ts';
import { clientLinks } from './links.ts';
import { quickstartOf } from './quickstart.ts';
import { secretsPanel, shortSecretsPanel } from './secrets-table.ts';

const tabLabels = {
  overview: 'Overview',
  credentials: 'Credentials',
  permissions: 'Permissions',
  activity: 'Activity',
  settings: 'Settings',
};

type TabKey = keyof typeof tabLabels;

/** One client: its endpoints and configuration, its credentials, its permissions, and its activity. */
export async function showClient(context: RequestContext): Promise<void> {
  const client = await findClient(context);
  const { current, tabs } = tabsIn(context.ctx, clientPath(client.client_id), tabLabels);
  showInConsole(context, 'console-detail', {
    crumb: context.crumb,
    name: nameOf(client),
    badges: [cell.enabled(client.enabled)],
    line: [
      cell.text(kinds[client.type]),
      cell.timeAfter(client.registered_by === 'dynamic' ? 'registered itself' : 'registered', client.created_at),
    ],
    notice: noticeIn(context.ctx),
    actions: clientLinks(context, client),
    tabs,
    panels: await panelsOf[current](context, client),
    aside: current === 'overview' ? await asideOf(context, client) : [],
    danger: await dangerOf(context, client, current === 'settings'),
  });
}

const panelsOf: Readonly<Record<TabKey, (context: RequestContext, client: Client) => Promise<Panel[]>>> = {
  overview: async (context, client) => [
    endpoints(context.deps.issuer, client),
    {
      heading: 'Quickstart',
      content: { kind: 'snippets', snippets: quickstartOf(context.deps.issuer, client) },
    },
    ...(await recentEvents(context, partyOf(client), 5)),
  ],
  credentials: async (context, client) => [
    ...(usesSecret(client) ? [await secretsPanel(context, client)] : []),
    ...(await keysPanel(context, { client_id: client.client_id })),
    ...(await consentsPanel(context, { client_id: client.client_id })),
  ],
  permissions: async (context, client) => [
    ...permissionPanels(client),
    ...(client.type === 'service' ? await rolesPanel(context, { kind: 'client', subject: client.client_id }) : []),
  ],
  activity: (context, client) => recentEvents(context, partyOf(client), 25),
  settings: async (_, client) => [
    { heading: 'Registration', content: { kind: 'facts', facts: settingsFacts(client) } },
  ],
};

const partyOf = ({ client_id }: Client) =>
  ({ kind: 'client', id: client_id, reference: `client:${client_id}` }) as const;

function endpoints(issuer: string, { client_id, type }: Client): Panel {
  const browser = [
    { label: 'Authorization', cell: cell.copied(`${issuer}/oauth/authorize`) },
    { label: 'User info', cell: cell.copied(`${issuer}/oauth/userinfo`) },
  ];
  return {
    heading: 'Endpoints',
    link: { text: 'Discovery document', href: '/.well-known/openid-configuration' },
    content: {
      kind: 'facts',
      facts: [
        { label: 'Client ID', cell: cell.copied(client_id) },
        { label: 'Issuer', cell: cell.copied(issuer) },
        { label: 'Token', cell: cell.copied(`${issuer}/oauth/token`) },
        ...(type === 'service' || type === 'workload' ? [] : browser),
        { label: 'JWKS', cell: cell.copied(`${issuer}/oauth/jwks`) },
      ],
    },
  };
}

async function asideOf(context: RequestContext, client: Client): Promise<Panel[]> {
  const path = clientPath(client.client_id);
  const mayEdit = client.registered_by === 'operator' && context.api.may('PATCH /clients/{client_id}');
  const usage = await context.api.call('GET /clients/{client_id}/usage', { params: { client_id: client.client_id } });
  return [
    usagePanel(usage, { what: 'Tokens', now: context.deps.now() }),
    {
      heading: 'Configuration',
      link: mayEdit ? { text: 'Edit', href: `${path}/change` } : undefined,
      content: { kind: 'facts', facts: configurationFacts(client) },
    },
    ...(usesSecret(client) ? [await shortSecretsPanel(context, client)] : []),
  ];
}

function settingsFacts(client: Client) {
  return [
    ...configurationFacts(client),
    { label: 'Owner', cell: ownerCell(client) },
    { label: 'Risk', cell: cell.text(client.risk ?? 'Not classified') },
    ...(client.tokens_valid_after ? [{ label: 'Tokens revoked', cell: cell.time(client.tokens_valid_after) }] : []),
    { label: 'Updated', cell: cell.time(client.updated_at) },
  ];
}

/** The number of revoked credentials is counted only if the page shows it. */
async function dangerOf(context: RequestContext, client: Client, isCounted: boolean): Promise<DangerousAction[]> {
  const { client_id, enabled } = client;
  const path = clientPath(client_id);
  const revoke = {
    route: 'POST /revocations' as const,
    needs: permissionsToRevoke.client_id,
    label: 'Revoke all credentials',
    href: `${path}/revoke`,
    danger: true,
    words:
      'Revokes its access tokens, refresh tokens and API keys for good. Its secrets stay, so it can get new tokens.',
  };
  const disable = {
    route: 'POST /clients/{client_id}/disable' as const,
    label: 'Disable client',
    href: `${path}/disable`,
    danger: true,
    words: 'Revokes its tokens, and refuses its requests and API keys until you enable it again. Consents stay.',
  };
  const [revoking] = allowedActions(context, [revoke]);
  const button =
    revoking && isCounted ? withImpact('Revoke', await revocationImpact(context.deps, { client_id })) : 'Revoke all';
  return [
    ...(revoking ? [{ ...revoking, button }] : []),
    ...(enabled ? allowedActions(context, [disable]).map((action) => ({ ...action, button: 'Disable' })) : []),
  ];
}
