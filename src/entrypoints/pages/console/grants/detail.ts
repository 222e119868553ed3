import * as cell from '../../records/cells.ts';
import { clientPath } from '../clients/client.ts';
import { consentPath } from '../consents/consent.ts';
import { allowedActions, type RequestContext, showInConsole } from '../request-context.ts';
import { userPath } from '../users/user.ts';
import { getGrant, grantPath, lastingOf } from './grant.ts';

/** What one app holds for one person in one session. */
export async function showGrant(context: RequestContext): Promise<void> {
  const grant = await getGrant(context);
  showInConsole(context, 'console-detail', {
    crumb: context.crumb,
    heading: `What is held for ${grant.username} by`,
    name: grant.client_id,
    notice: undefined,
    facts: [
      { label: 'App', cell: cell.link(grant.client_id, clientPath(grant.client_id)) },
      { label: 'Person', cell: cell.link(grant.username, userPath(grant.username)) },
      { label: 'Lasts', cell: lastingOf(grant) },
      { label: 'Got', cell: cell.time(grant.created_at) },
      {
        label: 'Allowed by',
        cell: grant.consent_id
          ? cell.link('their consent', consentPath(grant.consent_id))
          : cell.text('nobody is asked'),
      },
      { label: 'Id', cell: cell.copied(grant.id) },
    ],
    tables: [],
    actions: allowedActions(context, [
      {
        route: 'POST /grants/{grant_id}/revoke',
        label: 'Revoke',
        href: `${grantPath(grant.id)}/revoke`,
        danger: true,
        words: 'Every token under it ends; the consent stays',
      },
    ]),
  });
}
