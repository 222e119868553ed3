import * as cell from '../../records/cells.ts';
import type { Panel } from '../../records/page-shapes.ts';
import { apiPath } from '../resource-servers/resource-server.ts';
import type { Consent } from './consent.ts';

/** The allowed scopes of a consent, by API. */
export function permissionsPanel({ openid, resources }: Consent['scopes'], intro?: string): Panel {
  const rows = [
    ...(openid.length > 0 ? [[cell.text('User data'), cell.codes(openid)]] : []),
    ...Object.entries(resources).map(([api, names]) => [cell.link(api, apiPath(api)), cell.codes(names)]),
  ];
  const columns = [{ label: 'API' }, { label: 'Permissions' }];
  return { heading: 'Permissions', intro, content: { kind: 'table', columns, rows, empty: 'No permissions.' } };
}
