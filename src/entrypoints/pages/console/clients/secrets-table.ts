import type { z } from 'zod';
import type { SecretView } from '../../../../domain/clients/index.ts';
import * as cell from '../../records/cells.ts';
import type { Cell, Table } from '../../records/page-shapes.ts';
import { allowedActions, type RequestContext } from '../request-context.ts';
import { type Client, clientPath } from './client.ts';

export type Secret = z.output<typeof SecretView>;

/** A secret as its list names it. */
export const secretName = ({ number, label }: Pick<Secret, 'number' | 'label'>): string => label ?? `Secret ${number}`;

export async function listSecretsOf({ api }: RequestContext, client_id: string): Promise<Secret[]> {
  return (await api.call('GET /clients/{client_id}/secrets', { params: { client_id } })).items;
}

export function isLive({ revoked_at, expires_at }: Secret, now: Date): boolean {
  return !revoked_at && (!expires_at || expires_at > now);
}

/** The secrets of a client, and what can be done with them. */
export async function secretsTable(context: RequestContext, { client_id }: Client): Promise<Table> {
  const { deps, api } = context;
  const now = deps.now();
  const mayRevoke = api.may('POST /clients/{client_id}/secrets/{secret_id}/revoke');
  const secrets = await listSecretsOf(context, client_id);
  const path = clientPath(client_id);
  const rows = secrets.map((secret) => [
    cell.text(`${secret.number}${secret.label ? `: ${secret.label}` : ''}`),
    secret.last_four ? cell.code(`…${secret.last_four}`) : cell.text('not generated'),
    stateOf(secret, now),
    cell.time(secret.created_at),
    cell.time(secret.last_used_at),
    secret.revoked_at ? cell.time(secret.revoked_at) : cell.time(secret.expires_at),
    isLive(secret, now) && mayRevoke
      ? cell.action('Revoke', `${path}/secrets/${secret.id}/revoke`, `the secret ${secretName(secret)}`)
      : cell.text(''),
  ]);
  return {
    heading: 'Secrets',
    intro: 'Their values are stored nowhere. Several work side by side, so that a new one can be rolled out first.',
    columns: ['Secret', 'Ends in', 'State', 'Created', 'Last used', 'Expires', ''],
    rows,
    empty: 'It has no secret: it cannot sign in until you make one.',
    actions: allowedActions(context, [
      {
        route: 'POST /clients/{client_id}/secrets',
        label: 'Add a secret',
        href: `${path}/secrets/add`,
        danger: false,
        words: 'Beside the present ones',
      },
      {
        route: 'POST /clients/{client_id}/secrets/rotate',
        label: 'Rotate',
        href: `${path}/secrets/rotate`,
        danger: false,
        words: 'A new one; the present ones end after an overlap',
      },
    ]),
  };
}

function stateOf(secret: Secret, now: Date): Cell {
  if (secret.revoked_at) return cell.bad('revoked');
  return isLive(secret, now) ? cell.good('works') : cell.quiet('expired');
}
