import * as cell from '../../records/cells.ts';
import { overlapsIn } from '../../records/overlaps.ts';
import { exactTime } from '../../times.ts';
import { counted } from '../../words.ts';
import type { Action } from '../actions.ts';
import { changingWebhook, creatingWebhook, madeSecret } from './forms.ts';
import { frame, webhookPath } from './webhook.ts';

const rotatingSecret: Action = {
  path: '/webhooks/:webhook_id/rotate-secret',
  route: 'POST /webhooks/{webhook_id}/rotate-secret',
  describe: async (context) => {
    const { webhook: _, ...framed } = await frame(context);
    return {
      ...framed,
      heading: `Rotate the secret of ${framed.name}?`,
      words: ['The new secret is shown once, on the next page. Until the overlap ends, requests are signed with both.'],
      impact: [],
      fields: [
        {
          name: 'overlap',
          label: 'Overlap',
          type: 'select',
          value: '86400',
          options: overlapsIn().filter(({ value }) => Number(value) <= 604_800),
          hint: 'For how long the previous secret also signs.',
        },
      ],
      button: 'Rotate secret',
      danger: false,
    };
  },
  perform: async (context, sent) => {
    const { webhook } = await frame(context);
    const { secret, previous_expires_at } = await context.api.call('POST /webhooks/{webhook_id}/rotate-secret', {
      params: { webhook_id: webhook.id },
      body: { overlap_seconds: sent.number('overlap') },
    });
    const made = madeSecret(context, webhook, secret);
    const until = `The previous secret also signs until ${exactTime(previous_expires_at)}.`;
    return { made: { ...made, words: [...made.words, until] } };
  },
};

const testing: Action = {
  path: '/webhooks/:webhook_id/test',
  route: 'POST /webhooks/{webhook_id}/test',
  describe: async (context) => {
    const { webhook, ...framed } = await frame(context);
    return {
      ...framed,
      heading: `Send a test event to ${framed.name}?`,
      words: [`Sends webhook.test to ${webhook.url}. The result appears under Deliveries.`],
      impact: [],
      fields: [],
      button: 'Send test event',
      danger: false,
    };
  },
  perform: async ({ api, params: { webhook_id = '' } }) => {
    await api.call('POST /webhooks/{webhook_id}/test', { params: { webhook_id } });
    return { to: webhookPath(webhook_id), done: 'delivery-requested' };
  },
};

const retrying: Action = {
  path: '/webhooks/:webhook_id/deliveries/:delivery_id/redeliver',
  route: 'POST /webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver',
  describe: async (context) => {
    const { webhook, ...framed } = await frame(context);
    return {
      ...framed,
      heading: `Send 1 message to ${framed.name} again?`,
      words: [`${webhook.url} receives the message with the same webhook-id, so that it can recognize a duplicate.`],
      impact: [],
      fields: [],
      button: 'Send 1 message again',
      danger: false,
    };
  },
  perform: async ({ api, params: { webhook_id = '', delivery_id = '' } }) => {
    const params = { webhook_id, delivery_id };
    await api.call('POST /webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver', { params });
    return { to: webhookPath(webhook_id), done: 'delivery-requested' };
  },
};

const retryingAll: Action = {
  path: '/webhooks/:webhook_id/redeliver',
  route: 'POST /webhooks/{webhook_id}/redeliver',
  describe: async (context) => {
    const { webhook, ...framed } = await frame(context);
    const query = { state: 'dead', limit: '1', total: 'true' };
    const { total } = await context.api.call('GET /webhooks/{webhook_id}/deliveries', {
      params: { webhook_id: webhook.id },
      query,
    });
    const failed = counted(total ?? 0, 'failed message');
    return {
      ...framed,
      heading: `Send ${failed} to ${framed.name} again?`,
      words: ['Each is sent with its own webhook-id, so that the receiver can recognize a duplicate.'],
      impact: [],
      fields: [],
      button: `Send ${failed} again`,
      danger: false,
    };
  },
  perform: async ({ api, params: { webhook_id = '' } }) => {
    await api.call('POST /webhooks/{webhook_id}/redeliver', { params: { webhook_id } });
    return { to: webhookPath(webhook_id), done: 'delivery-requested' };
  },
};

/** Stops a webhook, or continues it. */
const switching = (verb: 'Disable' | 'Enable', words: string): Action => ({
  path: `/webhooks/:webhook_id/${verb.toLowerCase()}`,
  route: 'PATCH /webhooks/{webhook_id}',
  describe: async (context) => {
    const { webhook, ...framed } = await frame(context);
    return {
      ...framed,
      heading: `${verb} ${framed.name}?`,
      words: [words],
      impact: [],
      fields: [],
      button: `${verb} webhook`,
      danger: false,
      version: webhook.version,
      present: [{ label: 'State', cell: cell.enabled(webhook.enabled) }],
    };
  },
  perform: async ({ api, params: { webhook_id = '' } }, { version: ifVersion }) => {
    const body = { enabled: verb === 'Enable' };
    await api.call('PATCH /webhooks/{webhook_id}', { params: { webhook_id }, body, ifVersion });
    return { to: webhookPath(webhook_id), done: 'saved' };
  },
});

const deleting: Action = {
  path: '/webhooks/:webhook_id/delete',
  route: 'DELETE /webhooks/{webhook_id}',
  describe: async (context) => {
    const { webhook, ...framed } = await frame(context);
    return {
      ...framed,
      heading: `Delete ${framed.name}?`,
      words: ['This cannot be undone.'],
      impact: [{ text: '1 webhook', words: `${webhook.url}, with its secret and the record of its deliveries` }],
      fields: [],
      button: 'Delete 1 webhook',
      danger: true,
    };
  },
  perform: async ({ api, crumb, params: { webhook_id = '' } }) => {
    await api.call('DELETE /webhooks/{webhook_id}', { params: { webhook_id } });
    return { to: crumb.href, done: 'webhook-deleted' };
  },
};

export const webhookActions: Action[] = [
  creatingWebhook,
  changingWebhook,
  rotatingSecret,
  testing,
  retrying,
  retryingAll,
  switching('Disable', 'It sends nothing until you enable it again. It then continues where it stopped.'),
  switching('Enable', 'It continues with the first unsent event.'),
  deleting,
];
