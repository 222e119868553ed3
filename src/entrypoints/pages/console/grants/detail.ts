import * as cell from '../../records/cells.ts';
import type { Panel } from '../../records/page-shapes.ts';
import { clientPath } from '../clients/client.ts';
import { consentPath } from '../consents/consent.ts';
import { permissionsPanel } from '../consents/permissions-panel.ts';
import { allowedActions, type RequestContext, showInConsole } from '../request-context.ts';
import { userPath } from '../users/user.ts';
import { type Grant, getGrant, grantPath, lifetimeOf } from './grant.ts';

/** The access that one app has for one user in one session. */
export async function showGrant(context: RequestContext): Promise<void> {
  const grant = await getGrant(context);
  const { client_id, client_name, username } = grant;
  const revoke = {
    route: 'POST /grants/{grant_id}/revoke' as const,
    label: 'Revoke grant',
    href: `${grantPath(grant.id)}/revoke`,
    danger: true,
    words: 'Revokes every token under it. The consent stays, so the app can get tokens again.',
  };
  showInConsole(context, 'console-detail', {
    crumb: context.crumb,
    name: `${client_name} for ${username}`,
    badges: [cell.good('Active')],
    line: [cell.timeAfter('Created', grant.created_at)],
    notice: undefined,
    actions: [],
    tabs: [],
    panels: [
      {
        heading: 'Grant',
        content: {
          kind: 'facts',
          facts: [
            { label: 'App', cell: cell.link(client_name, clientPath(client_id), client_id) },
            { label: 'User', cell: cell.link(username, userPath(username)) },
            { label: 'Expires', cell: lifetimeOf(grant) },
            {
              label: 'Consent',
              cell: grant.consent_id
                ? cell.link('View consent', consentPath(grant.consent_id))
                : cell.text('Not asked: first-party client'),
            },
            { label: 'ID', cell: cell.copied(grant.id) },
          ],
        },
      },
      ...(await permissionPanels(context, grant)),
    ],
    aside: [],
    danger: allowedActions(context, [revoke]).map((each) => ({ ...each, button: 'Revoke grant' })),
  });
}

/** What the grant contains: the scopes of its consent. */
async function permissionPanels({ api }: RequestContext, { consent_id }: Grant): Promise<Panel[]> {
  if (!consent_id || !api.may('GET /consents/{consent_id}')) return [];
  const { scopes } = await api.call('GET /consents/{consent_id}', { params: { consent_id } });
  return [permissionsPanel(scopes, 'At most these, which the user allowed.')];
}
