import { z } from 'zod';
import { Flag, isSeen, notSeen, PageQuery, previousExpiry, ShownText, Timestamp } from '../../platform/http/index.ts';
import { SortBy } from '../../platform/lists/index.ts';
import { fitsSomething } from './messages.ts';

const mostPatterns = 50;
const week = 604_800;

export const WebhookInput = z.strictObject({
  url: z
    .url({ protocol: /^https?$/, error: 'must be an https URL' })
    .max(2048)
    .refine(isSeen, notSeen)
    .refine(
      (url) => !URL.parse(url)?.username && !URL.parse(url)?.password,
      'must not contain a user name or password',
    ),
  description: ShownText(200).optional(),
  events: z
    .array(z.string().max(64).refine(fitsSomething, 'is neither an audit action nor a pattern that matches one'))
    .min(1)
    .max(mostPatterns)
    .default(['*'])
    .meta({ description: 'actions of the audit log, `audit.sealed`, `client.*` or `*`' }),
  most_attempts: z
    .int()
    .min(1)
    .max(20)
    .default(10)
    .meta({ description: 'after this many attempts the message fails and the next one is sent' }),
  enabled: z.boolean().default(true),
});
export type WebhookInput = z.infer<typeof WebhookInput>;

export const WebhookView = z.object({
  id: z.uuid(),
  url: z.string(),
  description: z.string().nullable(),
  events: z.array(z.string()),
  most_attempts: z.int(),
  enabled: z.boolean(),
  disabled_because: z.string().nullable().meta({ description: '`gone`: the receiver answered 410' }),
  version: z.int(),
  created_at: Timestamp,
  updated_at: Timestamp,
});
const secret = z.string().meta({ description: '`whsec_…`; shown once' });
export const CreatedWebhookView = WebhookView.extend({ secret });
export const WebhookParams = z.strictObject({ webhook_id: z.uuid() });
export const WebhooksQuery = z.strictObject({
  ...PageQuery,
  enabled: Flag.optional(),
  sort: SortBy(['url', 'created_at'], 'created_at'),
});

export const SecretRotation = z.strictObject({
  overlap_seconds: z
    .int()
    .min(0)
    .max(week)
    .default(86_400)
    .meta({ description: 'how long the previous secret also signs' }),
});
export const RotatedSecretView = z.object({ secret, ...previousExpiry('previous_end_at') });

export const DeliveryView = z.object({
  id: z.uuid(),
  message_id: z.string().meta({ description: 'the `webhook-id`, the same for every attempt' }),
  type: z.string(),
  state: z.enum(['delivered', 'retrying', 'dead', 'requested']),
  attempts: z.int(),
  last_status: z.int().nullable().meta({ description: 'the status of the last response; null: there was none' }),
  last_error: z.string().nullable(),
  created_at: Timestamp,
  updated_at: Timestamp,
});
export const DeliveriesQuery = z.strictObject({
  ...PageQuery,
  state: DeliveryView.shape.state.optional(),
  sort: SortBy(['created_at'], '-created_at'),
});
export const DeliveryParams = z.strictObject({ webhook_id: z.uuid(), delivery_id: z.uuid() });
