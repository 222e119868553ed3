import * as cell from '../../records/cells.ts';
import { addressOf } from '../../records/lists.ts';
import { noticeIn } from '../../records/notices.ts';
import { grantsPanel } from '../grants/grants-panel.ts';
import { allowedActions, type RequestContext, showInConsole } from '../request-context.ts';
import { userPath } from '../users/user.ts';
import { appCell, consentPath, getConsent, stateOf } from './consent.ts';
import { permissionsPanel } from './permissions-panel.ts';

/** The consent of one user for one app. */
export async function showConsent(context: RequestContext): Promise<void> {
  const consent = await getConsent(context);
  const { username, client_id, client_name } = consent;
  const revoke = {
    route: 'POST /consents/{consent_id}/revoke' as const,
    label: 'Revoke access',
    href: `${consentPath(consent.consent_id)}/revoke`,
    danger: true,
    words: 'Revokes the tokens under it. The app asks the user again.',
  };
  showInConsole(context, 'console-detail', {
    crumb: context.crumb,
    name: `${username}, ${client_name}`,
    badges: [stateOf(consent)],
    line: [cell.timeAfter('Allowed', consent.allowed_at)],
    notice: noticeIn(context.ctx),
    actions: [],
    tabs: [],
    panels: [
      {
        heading: 'Consent',
        content: {
          kind: 'facts',
          facts: [
            { label: 'User', cell: cell.link(username, userPath(username)) },
            { label: 'App', cell: appCell(consent) },
            { label: 'Last used', cell: cell.time(consent.last_used_at) },
            consent.revoked_at
              ? { label: 'Revoked', cell: cell.time(consent.revoked_at) }
              : { label: 'Expires', cell: cell.time(consent.expires_at, 'When it is revoked') },
            { label: 'ID', cell: cell.copied(consent.consent_id) },
          ],
        },
      },
      permissionsPanel(consent.scopes),
      ...(await grantsPanel(
        context,
        { user: `id:${consent.user_id}`, client_id },
        addressOf('/console/grants', { user: username, client_id }),
      )),
    ],
    aside: [],
    danger: consent.revoked_at
      ? []
      : allowedActions(context, [revoke]).map((each) => ({ ...each, button: 'Revoke access' })),
  });
}
