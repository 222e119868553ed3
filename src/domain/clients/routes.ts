import { z } from 'zod';
import { alsoAs, MergePatch, notFound, pageOf, pageWith, routesWith } from '../../platform/http/index.ts';
import { dayMs } from '../credentials/index.ts';
import { type ClientDeps, changeClient, createClient, disableClient } from './clients.ts';
import { asInput } from './registration.ts';
import {
  ClientInput,
  ClientParams,
  ClientsQuery,
  ClientView,
  CreatedClientView,
  MadeSecretView,
  RotatedSecretView,
  RotationInput,
  SecretInput,
  SecretParams,
  SecretView,
} from './schemas.ts';
import { addClientSecret, revokeClientSecret, rotateClientSecret } from './secrets.ts';
import { type Client, findClient, listClients, listSecrets } from './store.ts';

const route = routesWith<ClientDeps>();

const registrations = [
  route({
    method: 'GET',
    path: '/clients',
    summary: 'List clients (applications and services)',
    permission: 'latchkey:client:read',
    query: ClientsQuery,
    response: pageOf(ClientView),
    handle: async ({ query }, deps) => pageWith(await listClients(deps.db, query), shown),
  }),
  route({
    method: 'POST',
    path: '/clients',
    summary: 'Register a client; it cannot be entitled to a permission that you do not hold',
    permission: 'latchkey:client:write',
    body: ClientInput,
    response: CreatedClientView,
    status: 201,
    handle: async ({ actor, body }, deps) => {
      const { client, client_secret } = await createClient(deps, actor, body);
      return { ...shown(client), client_secret };
    },
  }),
  route({
    method: 'GET',
    path: '/clients/{client_id}',
    summary: 'Get a client',
    permission: 'latchkey:client:read',
    params: ClientParams,
    response: ClientView,
    handle: async ({ params }, deps) => shown(await getClient(deps, params.client_id)),
  }),
  route({
    method: 'PATCH',
    path: '/clients/{client_id}',
    summary: 'Update a client; you must hold all of its permissions',
    permission: 'latchkey:client:write',
    params: ClientParams,
    body: MergePatch,
    response: ClientView,
    handle: async ({ actor, params, body, ifVersion }, deps) =>
      shown(await changeClient(deps, actor, { ...params, patch: body, ifVersion })),
  }),
  route({
    method: 'POST',
    path: '/clients/{client_id}/disable',
    summary: 'Disable a client: it cannot authenticate, and all its tokens are refused from now on',
    permission: 'latchkey:client:disable',
    params: ClientParams,
    response: ClientView,
    handle: async ({ actor, params }, deps) => shown(await disableClient(deps, actor, params.client_id)),
  }),
];

const secrets = [
  route({
    method: 'GET',
    path: '/clients/{client_id}/secrets',
    summary: 'List the secrets of a client, without their values',
    permission: 'latchkey:client:read',
    params: ClientParams,
    response: z.object({ items: z.array(SecretView) }),
    handle: async ({ params }, deps) => {
      const { id } = await getClient(deps, params.client_id);
      return { items: await listSecrets(deps.db, id) };
    },
  }),
  route({
    method: 'POST',
    path: '/clients/{client_id}/secrets',
    summary: 'Add a secret to a client; its other secrets remain valid',
    permission: 'latchkey:client_secret:create',
    params: ClientParams,
    body: SecretInput,
    response: MadeSecretView,
    status: 201,
    handle: ({ actor, params, body: { label, expires_in_days } }, deps) =>
      addClientSecret(deps, actor, { ...params, label, expires_at: expiry(deps.now(), expires_in_days) }),
  }),
  route({
    method: 'POST',
    path: '/clients/{client_id}/secrets/rotate',
    summary: 'Rotate the secret of a client: the previous ones are accepted until the overlap ends',
    permission: 'latchkey:client_secret:create',
    params: ClientParams,
    body: RotationInput,
    response: RotatedSecretView,
    status: 201,
    handle: async ({ actor, params, body: { label, expires_in_days, overlap_seconds } }, deps) =>
      alsoAs(
        'previous_end_at',
        await rotateClientSecret(deps, actor, {
          ...params,
          label,
          expires_at: expiry(deps.now(), expires_in_days),
          overlapSeconds: overlap_seconds,
        }),
      ),
  }),
  route({
    method: 'POST',
    path: '/clients/{client_id}/secrets/{secret_id}/revoke',
    summary: 'Revoke one secret of a client; it is refused from now on',
    permission: 'latchkey:client_secret:revoke',
    params: SecretParams,
    handle: ({ actor, params }, deps) => revokeClientSecret(deps, actor, params),
  }),
];

/** Registered applications and services. */
export const clientRoutes = [...registrations, ...secrets];

/** @throws Problem `not_found` */
async function getClient({ db }: ClientDeps, client_id: string): Promise<Client> {
  const client = await findClient(db, client_id);
  if (!client) throw notFound('client', client_id);
  return client;
}

function shown(client: Client) {
  const { type, registered_by, trust_id, tokens_valid_after, last_used_at, version, created_at, updated_at } = client;
  const times = { tokens_valid_after, last_used_at, created_at, updated_at };
  return { ...asInput(client), type, registered_by, trust_id, version, ...times };
}

function expiry(now: Date, days: number | undefined): Date | undefined {
  return days === undefined ? undefined : new Date(now.getTime() + days * dayMs);
}
