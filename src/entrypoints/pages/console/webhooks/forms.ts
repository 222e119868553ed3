import { auditActions } from '../../../../domain/audit/index.ts';
import * as cell from '../../records/cells.ts';
import type { Field, MadePage, Option } from '../../records/page-shapes.ts';
import type { Action, FormInput } from '../actions.ts';
import { actionWords } from '../audit-log/event.ts';
import type { RequestContext } from '../request-context.ts';
import { frame, nameOf, type Webhook, webhookPath } from './webhook.ts';

const everything = '*';

/** Every action of the audit log, grouped by subject. */
const eventOptions: Option[] = [...auditActions, 'audit.sealed'].map((action) => ({
  value: action,
  text: actionWords(action),
  note: action,
  group: actionWords(action.split('.')[0] ?? action),
}));

const isOffered = (pattern: string) => eventOptions.some(({ value }) => value === pattern);

function fieldsOf(webhook?: Webhook): Field[] {
  const events = webhook?.events ?? [everything];
  return [
    {
      name: 'url',
      label: 'URL',
      type: 'text',
      value: webhook?.url ?? '',
      is_required: true,
      hint: 'An https URL of your service. It receives a signed POST request for each event.',
    },
    {
      name: 'description',
      label: 'Description',
      type: 'text',
      value: webhook?.description ?? '',
      hint: 'For example, the team or the system that receives it.',
    },
    {
      name: 'patterns',
      label: 'Event patterns',
      type: 'textarea',
      value: events.filter((event) => !isOffered(event)).join('\n'),
      hint: 'One a line, such as client.* for all events about clients; * for every event. Leave it empty to select single events below.',
    },
    {
      name: 'events',
      label: 'Events',
      type: 'choices',
      value: events.filter(isOffered).join('\n'),
      options: eventOptions,
    },
    {
      name: 'most_attempts',
      label: 'Attempts',
      type: 'number',
      value: String(webhook?.most_attempts ?? 10),
      hint: 'How often a message is sent before it fails: 1 to 20.',
      group: 'Advanced',
    },
  ];
}

function valuesIn(sent: FormInput) {
  const most_attempts = sent.number('most_attempts');
  return {
    url: sent.text('url') ?? '',
    events: [...new Set([...sent.lines('patterns'), ...sent.lines('events')])],
    ...(most_attempts !== undefined && { most_attempts }),
  };
}

export const creatingWebhook: Action = {
  path: '/new-webhook',
  route: 'POST /webhooks',
  describe: async (context) => ({
    crumb: context.crumb,
    heading: 'Create webhook',
    name: '',
    words: ['It receives the events that happen from now on.'],
    impact: [],
    fields: fieldsOf(),
    button: 'Create webhook',
    danger: false,
    back: context.crumb.href,
  }),
  perform: async (context, sent) => {
    const description = sent.text('description');
    const body = { ...valuesIn(sent), ...(description !== undefined && { description }) };
    const { secret, ...webhook } = await context.api.call('POST /webhooks', { body });
    return { made: madeSecret(context, webhook, secret) };
  },
};

export const changingWebhook: Action = {
  path: '/webhooks/:webhook_id/change',
  route: 'PATCH /webhooks/{webhook_id}',
  describe: async (context) => {
    const { webhook, ...framed } = await frame(context);
    return {
      ...framed,
      heading: `Edit ${framed.name}`,
      words: [],
      impact: [],
      fields: fieldsOf(webhook),
      button: 'Save webhook',
      danger: false,
      version: webhook.version,
      present: [
        { label: 'URL', cell: cell.code(webhook.url) },
        { label: 'Events', cell: cell.codes(webhook.events) },
      ],
    };
  },
  perform: async ({ api, params: { webhook_id = '' } }, sent) => {
    const body = { ...valuesIn(sent), description: sent.text('description') ?? null };
    await api.call('PATCH /webhooks/{webhook_id}', { params: { webhook_id }, body, ifVersion: sent.version });
    return { to: webhookPath(webhook_id), done: 'saved' };
  },
};

/** The secret of a webhook, shown once. */
export function madeSecret({ crumb }: RequestContext, webhook: Webhook, secret: string): MadePage {
  return {
    crumb: { text: nameOf(webhook), href: webhookPath(webhook.id) },
    heading: `Signing secret of ${nameOf(webhook)}`,
    name: crumb.text,
    secret,
    words: ['Your service verifies the signature of each request with it (Standard Webhooks).'],
    snippets: [
      { label: 'Environment', text: `LATCHKEY_WEBHOOK_SECRET=${secret}` },
      {
        label: 'Node.js',
        text: [
          "import { Webhook } from 'standardwebhooks';",
          '',
          'const event = new Webhook(process.env.LATCHKEY_WEBHOOK_SECRET).verify(body, headers);',
        ].join('\n'),
      },
    ],
    facts: [
      { label: 'URL', cell: cell.code(webhook.url) },
      { label: 'Events', cell: cell.codes(webhook.events) },
    ],
  };
}
