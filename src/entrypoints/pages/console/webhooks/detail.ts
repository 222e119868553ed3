import * as cell from '../../records/cells.ts';
import { addressOf } from '../../records/lists.ts';
import { noticeIn } from '../../records/notices.ts';
import type { Cell, DangerousAction, Panel } from '../../records/page-shapes.ts';
import { one } from '../../signed-in.ts';
import { counted } from '../../words.ts';
import { allowedActions, type RequestContext, showInConsole } from '../request-context.ts';
import { type Delivery, deliveryStates, getWebhook, nameOf, stateOf, type Webhook, webhookPath } from './webhook.ts';

/** A webhook: its URL, its events, and its deliveries. */
export async function showWebhook(context: RequestContext): Promise<void> {
  const webhook = await getWebhook(context);
  const path = webhookPath(webhook.id);
  showInConsole(context, 'console-detail', {
    crumb: context.crumb,
    name: nameOf(webhook),
    badges: [stateOf(webhook)],
    line: [cell.timeAfter('Created', webhook.created_at)],
    notice: noticeIn(context.ctx),
    actions: allowedActions(context, [
      {
        route: 'POST /webhooks/{webhook_id}/test',
        label: 'Send test event',
        href: `${path}/test`,
        danger: false,
      },
      { route: 'PATCH /webhooks/{webhook_id}', label: 'Edit', href: `${path}/change`, danger: false },
      {
        route: 'POST /webhooks/{webhook_id}/rotate-secret',
        label: 'Rotate secret',
        href: `${path}/rotate-secret`,
        danger: false,
      },
    ]),
    tabs: [],
    panels: [facts(webhook), ...(await failures(context, webhook)), await deliveries(context, webhook)],
    aside: [],
    danger: dangers(context, webhook),
  });
}

function facts(webhook: Webhook): Panel {
  return {
    heading: 'Webhook',
    content: {
      kind: 'facts',
      facts: [
        { label: 'URL', cell: cell.copied(webhook.url) },
        { label: 'Events', cell: cell.codes(webhook.events) },
        { label: 'Attempts', cell: cell.text(`Up to ${counted(webhook.most_attempts, 'attempt')} per message`) },
        { label: 'Changed', cell: cell.time(webhook.updated_at) },
        { label: 'ID', cell: cell.copied(webhook.id) },
      ],
    },
  };
}

const deliveriesRoute = 'GET /webhooks/{webhook_id}/deliveries';

/** The number of failed messages, and a way to send them all again. */
async function failures(context: RequestContext, { id }: Webhook): Promise<Panel[]> {
  const query = { state: 'dead', limit: '1', total: 'true' };
  const { total, total_is_capped } = await context.api.call(deliveriesRoute, { params: { webhook_id: id }, query });
  if (!total) return [];
  const failed = counted(total, 'message');
  return [
    {
      heading: 'Failed messages',
      link: { text: 'View failed messages', href: addressOf(webhookPath(id), { state: 'dead' }) },
      content: {
        kind: 'words',
        words: [`${total_is_capped ? `More than ${failed}` : failed} could not be delivered after the last attempt.`],
      },
      actions: allowedActions(context, [
        {
          route: 'POST /webhooks/{webhook_id}/redeliver',
          label: 'Retry all failed messages',
          href: `${webhookPath(id)}/redeliver`,
          danger: false,
        },
      ]),
    },
  ];
}

async function deliveries(context: RequestContext, { id }: Webhook): Promise<Panel> {
  const { api, ctx } = context;
  const state = Object.keys(deliveryStates).find((each) => each === one(ctx.query.state));
  const cursor = one(ctx.query.cursor);
  const given = { ...(state && { state }) };
  const query = { ...given, limit: '25', ...(cursor && { cursor }) };
  const { items, next } = await api.call(deliveriesRoute, { params: { webhook_id: id }, query });
  const path = webhookPath(id);
  return {
    heading: state === 'dead' ? 'Deliveries that failed' : 'Deliveries',
    intro: 'The last 30 days, newest first.',
    link: state || cursor ? { text: 'View all', href: path } : undefined,
    content: {
      kind: 'table',
      columns: [
        { label: 'Event' },
        { label: 'State' },
        { label: 'Attempts', is_number: true },
        { label: 'Last response' },
        { label: 'Last attempt' },
        { label: '' },
      ],
      rows: items.map((delivery) => rowOf(context, path, delivery)),
      empty: 'No deliveries yet. Send a test event to see one.',
      next: next === null ? undefined : addressOf(path, { ...given, cursor: next }),
    },
  };
}

function rowOf(context: RequestContext, path: string, delivery: Delivery): Cell[] {
  const { id, type, state, attempts, last_status, last_error, updated_at } = delivery;
  const retry = {
    route: 'POST /webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver' as const,
    label: state === 'delivered' ? 'Send again' : 'Retry',
    href: `${path}/deliveries/${id}/redeliver`,
    danger: false,
  };
  const mayRetry = state === 'delivered' || state === 'dead';
  return [
    cell.code(type),
    deliveryStates[state].cell,
    cell.number(attempts),
    cell.text(last_status === null ? (last_error ?? '') : `HTTP ${last_status}`),
    cell.time(updated_at),
    cell.menu(`the delivery of ${type}`, mayRetry ? allowedActions(context, [retry]) : []),
  ];
}

function dangers(context: RequestContext, webhook: Webhook): DangerousAction[] {
  const path = webhookPath(webhook.id);
  const change = webhook.enabled
    ? { label: 'Disable', words: 'Sends nothing until you enable it again; it then continues where it stopped.' }
    : { label: 'Enable', words: 'Continues with the first unsent event.' };
  return allowedActions(context, [
    {
      ...change,
      route: 'PATCH /webhooks/{webhook_id}',
      href: `${path}/${change.label.toLowerCase()}`,
      danger: webhook.enabled,
    },
    {
      route: 'DELETE /webhooks/{webhook_id}',
      label: 'Delete',
      href: `${path}/delete`,
      danger: true,
      words: 'Removes the webhook, its secret and the record of its deliveries.',
    },
  ]).map((action) => ({ ...action, button: `${action.label} webhook` }));
}
