import { z } from 'zod';
import { Timestamp } from '../../platform/http/index.ts';
import { attentionKinds, attentionLevels } from './attention.ts';
import { firstSteps } from './first-steps.ts';

const AttentionView = z.object({
  kind: z.enum(attentionKinds),
  level: z.enum(attentionLevels).meta({
    description: '`problem`: fails now; `warning`: will fail or is overdue; `notice`: happens by itself',
  }),
  count: z.int().meta({ description: 'failed deliveries, keys, secrets or jobs; at most 1000' }),
  id: z
    .string()
    .nullable()
    .meta({ description: 'the id of the webhook, of the first key, or the `client_id` of the first client' }),
  name: z.string().nullable(),
  at: Timestamp.nullable().meta({
    description: 'when it began to fail, or when the first one expires, signs or was created',
  }),
  detail: z.string().nullable(),
});

export const AttentionListView = z.object({ items: z.array(AttentionView) });

export const FirstStepsView = z.object({
  items: z.array(z.object({ step: z.enum(firstSteps), is_done: z.boolean() })),
});
