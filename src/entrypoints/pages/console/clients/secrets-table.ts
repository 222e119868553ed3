import type { z } from 'zod';
import type { SecretView } from '../../../../domain/clients/index.ts';
import * as cell from '../../records/cells.ts';
import type { Cell, Panel } from '../../records/page-shapes.ts';
import { allowedActions, type RequestContext } from '../request-context.ts';
import { type Client, clientPath } from './client.ts';

export type Secret = z.output<typeof SecretView>;

/** A secret as an item of its list. */
export const secretName = ({ number, label }: Pick<Secret, 'number' | 'label'>): string => label ?? `Secret ${number}`;

export async function listSecretsOf({ api }: RequestContext, client_id: string): Promise<Secret[]> {
  return (await api.call('GET /clients/{client_id}/secrets', { params: { client_id } })).items;
}

export function isLive({ revoked_at, expires_at }: Secret, now: Date): boolean {
  return !revoked_at && (!expires_at || expires_at > now);
}

/** The secrets of a client, each with its action. */
export async function secretsPanel(context: RequestContext, { client_id }: Client): Promise<Panel> {
  const { deps, api } = context;
  const now = deps.now();
  const mayRevoke = api.may('POST /clients/{client_id}/secrets/{secret_id}/revoke');
  const secrets = await listSecretsOf(context, client_id);
  const path = clientPath(client_id);
  const rows = secrets.map((secret) => [
    cell.text(`${secret.number}${secret.label ? `: ${secret.label}` : ''}`),
    secret.last_four ? cell.code(`…${secret.last_four}`) : cell.text('Not generated'),
    stateOf(secret, now),
    cell.time(secret.created_at),
    cell.time(secret.last_used_at),
    secret.revoked_at ? cell.time(secret.revoked_at) : cell.time(secret.expires_at),
    isLive(secret, now) && mayRevoke
      ? cell.action('Revoke', `${path}/secrets/${secret.id}/revoke`, `secret ${secretName(secret)}`)
      : cell.text(''),
  ]);
  return {
    heading: 'Secrets',
    intro:
      'Only digests are stored. Several secrets are accepted side by side, so that you can roll out a new one first.',
    content: {
      kind: 'table',
      columns: ['Secret', 'Last four', 'State', 'Created', 'Last used', 'Expires', ''].map((label) => ({ label })),
      rows,
      empty: 'No secrets. The client cannot authenticate until you add one.',
    },
    actions: allowedActions(context, [
      {
        route: 'POST /clients/{client_id}/secrets',
        label: 'Add secret',
        href: `${path}/secrets/add`,
        danger: false,
      },
      {
        route: 'POST /clients/{client_id}/secrets/rotate',
        label: 'Rotate secret',
        href: `${path}/secrets/rotate`,
        danger: false,
      },
    ]),
  };
}

/** The secrets that are accepted now, in short. */
export async function shortSecretsPanel(context: RequestContext, { client_id }: Client): Promise<Panel> {
  const now = context.deps.now();
  const live = (await listSecretsOf(context, client_id)).filter((secret) => isLive(secret, now));
  const facts = live.map((secret) => ({
    label: secret.last_four ? `…${secret.last_four}` : secretName(secret),
    cell: secret.expires_at ? cell.time(secret.expires_at) : cell.text('Does not expire'),
  }));
  return {
    heading: 'Secrets',
    link: { text: 'Manage', href: `${clientPath(client_id)}?tab=credentials` },
    content:
      facts.length > 0
        ? { kind: 'facts', facts }
        : { kind: 'words', words: ['No secrets. Add one so that it can authenticate.'] },
  };
}

function stateOf(secret: Secret, now: Date): Cell {
  if (secret.revoked_at) return cell.bad('Revoked');
  return isLive(secret, now) ? cell.good('Active') : cell.quiet('Expired');
}
