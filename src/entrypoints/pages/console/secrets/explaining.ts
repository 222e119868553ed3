import { permissionFor, secretsAudience } from '../../../../domain/secrets/index.ts';
import * as cell from '../../records/cells.ts';
import { addressOf } from '../../records/lists.ts';
import type { Panel } from '../../records/page-shapes.ts';
import type { RequestContext } from '../request-context.ts';
import type { Secret } from './secret.ts';

/** The permission to read a secret, and the page that explains who has it. */
export function explainLink({ api, deps }: RequestContext, { path }: Secret): Panel[] {
  const resource = secretsAudience(deps.issuer);
  const permission = permissionFor('read', path);
  const href = addressOf('/console/explain-access', { kind: 'client', resource, permission });
  return [
    {
      heading: 'Permission',
      ...(api.may('GET /explanation') && { link: { text: 'Explain access', href } }),
      content: {
        kind: 'facts',
        facts: [
          { label: 'To read it', cell: cell.copied(permission) },
          { label: 'API', cell: cell.copied(resource) },
        ],
      },
    },
  ];
}
