import * as cell from '../../records/cells.ts';
import { noticeIn } from '../../records/notices.ts';
import { clientPath } from '../clients/client.ts';
import { allowedActions, type RequestContext, showInConsole } from '../request-context.ts';
import { userPath } from '../users/user.ts';
import { consentPath, getConsent, stateOf } from './consent.ts';

/** What one person allowed one app. */
export async function showConsent(context: RequestContext): Promise<void> {
  const consent = await getConsent(context);
  const { openid, resources } = consent.scopes;
  const scopes = Object.entries(resources).map(([api, names]) => ({ label: 'May do', cell: cell.codesAt(api, names) }));
  showInConsole(context, 'console-detail', {
    crumb: context.crumb,
    heading: `What did ${consent.username} allow`,
    name: consent.client_name,
    notice: noticeIn(context.ctx),
    facts: [
      { label: 'App', cell: cell.link(consent.client_name, clientPath(consent.client_id), consent.client_id) },
      { label: 'Person', cell: cell.link(consent.username, userPath(consent.username)) },
      { label: 'State', cell: stateOf(consent) },
      { label: 'About them', cell: cell.codes(openid, 'nothing') },
      ...scopes,
      { label: 'Allowed', cell: cell.time(consent.allowed_at) },
      { label: 'Last used', cell: cell.time(consent.last_used_at) },
      consent.revoked_at
        ? { label: 'Taken back', cell: cell.time(consent.revoked_at) }
        : { label: 'Lasts until', cell: cell.time(consent.expires_at, 'it is taken back') },
    ],
    tables: [],
    actions: consent.revoked_at
      ? []
      : allowedActions(context, [
          {
            route: 'POST /consents/{consent_id}/revoke',
            label: 'Take it back',
            href: `${consentPath(consent.consent_id)}/revoke`,
            danger: true,
            words: 'Everything under it ends; the person is asked again',
          },
        ]),
  });
}
