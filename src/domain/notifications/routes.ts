import { z } from 'zod';
import { alsoAs, MergePatch, notFound, pageOf, routesWith } from '../../platform/http/index.ts';
import {
  CreatedWebhookView,
  DeliveriesQuery,
  DeliveryParams,
  DeliveryView,
  RotatedSecretView,
  SecretRotation,
  WebhookInput,
  WebhookParams,
  WebhooksQuery,
  WebhookView,
} from './schemas.ts';
import { findWebhook, listDeliveries, listWebhooks, type Webhook } from './store.ts';
import {
  changeWebhook,
  createWebhook,
  redeliver,
  removeWebhook,
  rotateWebhookSecret,
  testWebhook,
  type WebhookDeps,
} from './webhooks.ts';

const route = routesWith<WebhookDeps>();

const registrations = [
  route({
    method: 'GET',
    path: '/webhooks',
    summary: 'List webhooks',
    permission: 'latchkey:webhook:read',
    query: WebhooksQuery,
    response: pageOf(WebhookView),
    handle: ({ query }, deps) => listWebhooks(deps.db, query),
  }),
  route({
    method: 'POST',
    path: '/webhooks',
    summary: 'Register a webhook for audit events from now on; you need the permission to read them yourself',
    permission: 'latchkey:webhook:write',
    body: WebhookInput,
    response: CreatedWebhookView,
    status: 201,
    handle: async ({ actor, body }, deps) => {
      const { webhook, secret } = await createWebhook(deps, actor, body);
      return { ...webhook, secret };
    },
  }),
  route({
    method: 'GET',
    path: '/webhooks/{webhook_id}',
    summary: 'Get a webhook',
    permission: 'latchkey:webhook:read',
    params: WebhookParams,
    response: WebhookView,
    handle: ({ params }, deps) => getWebhook(deps, params.webhook_id),
  }),
  route({
    method: 'PATCH',
    path: '/webhooks/{webhook_id}',
    summary: 'Update a webhook; when you enable it again, delivery continues where it stopped',
    permission: 'latchkey:webhook:write',
    params: WebhookParams,
    body: MergePatch,
    response: WebhookView,
    handle: ({ actor, params, body, ifVersion }, deps) =>
      changeWebhook(deps, actor, { id: params.webhook_id, patch: body, ifVersion }),
  }),
  route({
    method: 'DELETE',
    path: '/webhooks/{webhook_id}',
    summary: 'Delete a webhook and its deliveries',
    permission: 'latchkey:webhook:delete',
    params: WebhookParams,
    handle: ({ actor, params }, deps) => removeWebhook(deps, actor, params.webhook_id),
  }),
  route({
    method: 'POST',
    path: '/webhooks/{webhook_id}/rotate-secret',
    summary: 'Rotate the secret of a webhook: both secrets sign until the overlap ends',
    permission: 'latchkey:webhook:rotate',
    params: WebhookParams,
    body: SecretRotation,
    response: RotatedSecretView,
    status: 201,
    handle: async ({ actor, params, body }, deps) =>
      alsoAs(
        'previous_end_at',
        await rotateWebhookSecret(deps, actor, { id: params.webhook_id, overlapSeconds: body.overlap_seconds }),
      ),
  }),
];

const deliveries = [
  route({
    method: 'POST',
    path: '/webhooks/{webhook_id}/test',
    summary: 'Send a `webhook.test` message',
    permission: 'latchkey:webhook:redeliver',
    params: WebhookParams,
    response: DeliveryView,
    status: 202,
    handle: ({ actor, params }, deps) => testWebhook(deps, actor, params.webhook_id),
  }),
  route({
    method: 'GET',
    path: '/webhooks/{webhook_id}/deliveries',
    summary: 'List the deliveries of the last 30 days; `state=dead`: those that failed',
    permission: 'latchkey:webhook:read',
    params: WebhookParams,
    query: DeliveriesQuery,
    response: pageOf(DeliveryView),
    handle: async ({ params: { webhook_id }, query: { state, ...query } }, deps) => {
      await getWebhook(deps, webhook_id);
      return listDeliveries(deps.db, webhook_id, { ...query, state });
    },
  }),
  route({
    method: 'POST',
    path: '/webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver',
    summary: 'Send a message again',
    permission: 'latchkey:webhook:redeliver',
    params: DeliveryParams,
    status: 204,
    handle: async ({ actor, params }, deps) => {
      await redeliver(deps, actor, params);
    },
  }),
  route({
    method: 'POST',
    path: '/webhooks/{webhook_id}/redeliver',
    summary: 'Send every failed message again',
    permission: 'latchkey:webhook:redeliver',
    params: WebhookParams,
    response: z.object({ deliveries: z.int() }),
    status: 202,
    handle: async ({ actor, params }, deps) => ({ deliveries: await redeliver(deps, actor, params) }),
  }),
];

/** Webhooks and their deliveries. */
export const webhookRoutes = [...registrations, ...deliveries];

/** @throws Problem `not_found` */
async function getWebhook({ db }: WebhookDeps, id: string): Promise<Webhook> {
  const webhook = await findWebhook(db, id);
  if (!webhook) throw notFound('webhook', id);
  return webhook;
}
