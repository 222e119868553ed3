import type { ActionLink } from '../../records/page-shapes.ts';
import { allowedActions, type RequestContext } from '../request-context.ts';
import { type Client, clientPath, usesSecret } from './client.ts';

/** A user's actions on a client, apart from those that revoke or disable. */
export function clientLinks(context: RequestContext, client: Client): ActionLink[] {
  const path = clientPath(client.client_id);
  const edit = {
    route: 'PATCH /clients/{client_id}' as const,
    label: 'Edit',
    href: `${path}/change`,
    danger: false,
  };
  const rotate = {
    route: 'POST /clients/{client_id}/secrets/rotate' as const,
    label: 'Rotate secret',
    href: `${path}/secrets/rotate`,
    danger: false,
  };
  const enable = { ...edit, label: 'Enable', href: `${path}/enable` };
  // Its own document describes it.
  const edits = client.registered_by === 'operator' ? [edit] : [];
  return allowedActions(context, [
    ...edits,
    ...(usesSecret(client) ? [rotate] : []),
    ...(client.enabled ? [] : [enable]),
  ]);
}
