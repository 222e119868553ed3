import { permissionFor } from '../../../../domain/secrets/index.ts';
import * as cell from '../../records/cells.ts';
import type { Fact, Panel } from '../../records/page-shapes.ts';
import type { RequestContext } from '../request-context.ts';
import { ownerCell } from './owners.ts';
import type { Secret } from './secret.ts';

/** The settings of a secret. */
export function settingsPanel(context: RequestContext, secret: Secret): Panel {
  const { description, environment, risk, owner, custom_metadata, max_versions, cas_required } = secret;
  const seconds = secret.delete_after_seconds;
  const labels = Object.entries(custom_metadata).map(([name, value]) => `${name}=${value}`);
  const facts: Fact[] = [
    { label: 'Path', cell: cell.copied(secret.path) },
    { label: 'Permission to read', cell: cell.copied(permissionFor('read', secret.path)) },
    { label: 'Description', cell: cell.text(description ?? 'None') },
    { label: 'Environment', cell: cell.text(environment ?? 'None') },
    { label: 'Risk', cell: cell.text(risk ?? 'Not rated') },
    { label: 'Owner', cell: owner ? ownerCell(context, owner) : cell.text('None') },
    { label: 'Labels', cell: cell.codes(labels) },
    { label: 'Versions kept', cell: cell.number(max_versions) },
    { label: 'Check-and-set required', cell: cell.yesNo(cas_required) },
    { label: 'Each version readable for', cell: cell.text(seconds ? cell.duration(seconds) : 'No limit') },
    { label: 'Updated', cell: cell.time(secret.updated_at) },
  ];
  return { heading: 'Settings', content: { kind: 'facts', facts } };
}

/** For a credential that another system stores. */
export function elsewherePanel({ location, accessible_to, rotated_at }: Secret): Panel[] {
  if (location === null && accessible_to.length === 0 && rotated_at === null) return [];
  const facts: Fact[] = [
    { label: 'Where', cell: cell.text(location ?? 'Not recorded') },
    { label: 'Who can get at it', cell: cell.codes(accessible_to, 'Not recorded') },
    { label: 'Last replaced', cell: cell.time(rotated_at, 'Not recorded') },
  ];
  return [{ heading: 'Kept elsewhere', content: { kind: 'facts', facts } }];
}
