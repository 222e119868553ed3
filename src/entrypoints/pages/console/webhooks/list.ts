import * as cell from '../../records/cells.ts';
import { enabledFilter } from '../../records/filters.ts';
import type { Cell } from '../../records/page-shapes.ts';
import type { List } from '../lists.ts';
import { allowedActions, type RequestContext } from '../request-context.ts';
import { nameOf, stateOf, type Webhook, webhookPath } from './webhook.ts';

export const webhookList: List = {
  heading: 'Webhooks',
  intro: 'URLs that receive audit events as they happen, signed and retried until they are delivered.',
  noun: 'webhook',
  icon: 'hook',
  columns: [
    { label: 'Webhook', sort: 'url' },
    { label: 'Events' },
    { label: 'State' },
    { label: 'Created', sort: '-created_at' },
    { label: '' },
  ],
  sort: 'created_at',
  filters: [enabledFilter],
  empty: {
    heading: 'No webhooks yet',
    words: 'A webhook sends events to your own service, such as a chat, a SIEM or an automation.',
  },
  actions: [
    {
      route: 'POST /webhooks',
      label: 'Create webhook',
      href: '/console/new-webhook',
      danger: false,
    },
  ],
  read: async (context, query) => {
    const { items, ...page } = await context.api.call('GET /webhooks', { query });
    return { rows: items.map((webhook) => rowOf(context, webhook)), ...page };
  },
};

function rowOf(context: RequestContext, webhook: Webhook): Cell[] {
  const path = webhookPath(webhook.id);
  return [
    cell.link(nameOf(webhook), path, webhook.url),
    cell.codes(webhook.events),
    stateOf(webhook),
    cell.time(webhook.created_at),
    cell.menu(
      nameOf(webhook),
      allowedActions(context, [
        { route: 'PATCH /webhooks/{webhook_id}', label: 'Edit', href: `${path}/change`, danger: false },
        {
          route: 'POST /webhooks/{webhook_id}/test',
          label: 'Send test event',
          href: `${path}/test`,
          danger: false,
        },
        { route: 'DELETE /webhooks/{webhook_id}', label: 'Delete', href: `${path}/delete`, danger: true },
      ]),
    ),
  ];
}
