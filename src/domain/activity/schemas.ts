import { z } from 'zod';
import { Timestamp } from '../../platform/http/index.ts';
import { type Step, stepSeconds } from './activity.ts';
import { activityKinds, activityOutcomes } from './kinds.ts';

export const ActivityQuery = z.strictObject({
  from: Timestamp.optional().meta({ description: 'default: a day before `to`; rounded down to the start of a period' }),
  to: Timestamp.optional().meta({ description: 'exclusive; default: now' }),
  step: z
    .enum(Object.keys(stepSeconds) as [Step, ...Step[]])
    .default('1h')
    .meta({ description: 'the length of a period; `5m` is kept for 2 days, the others for 400' }),
});

export const ActivityView = z.object({
  from: Timestamp,
  to: Timestamp,
  step_seconds: z.int(),
  counted_until: Timestamp.meta({ description: 'later requests may not be counted yet' }),
  items: z
    .array(
      z.object({
        starts_at: Timestamp.meta({ description: 'the start of the period' }),
        kind: z.enum(activityKinds).meta({
          description:
            'a request for a token, a sign-in, a verification of an API key or of a token, introspection, userinfo, a refused token exchange; `session`: how many sessions were active, at most',
        }),
        outcome: z.enum(activityOutcomes),
        count: z.int(),
      }),
    )
    .meta({ description: 'periods without requests are left out' }),
});

export const ActiveSessionsView = z.object({
  active: z.int(),
  is_capped: z.boolean().meta({ description: 'whether there are more, which were not counted' }),
});

export const ClientUsageParams = z.strictObject({ client_id: z.string().min(1).max(2048) });
export const ClientUsageQuery = z.strictObject({ days: z.coerce.number().int().min(1).max(366).default(30) });
export const ClientUsageView = z.object({
  last_used_at: Timestamp.nullable().meta({ description: 'when the client last got a token, within 400 days' }),
  allowed: z.int().meta({ description: 'tokens issued' }),
  refused: z.int().meta({ description: 'refused requests for tokens' }),
  days: z.array(z.object({ day: z.iso.date(), allowed: z.int(), refused: z.int() })),
});

export const KeyUsesParams = z.strictObject({ key_id: z.uuid() });
export const KeyUsesQuery = z.strictObject({ days: z.coerce.number().int().min(1).max(400).default(30) });
export const KeyUsesView = z.object({
  counted_until: Timestamp.meta({ description: 'later requests may not be counted yet' }),
  versions: z
    .array(z.object({ version: z.int(), last_used_at: Timestamp }))
    .meta({ description: 'when each version was last accepted, within 400 days; the newest first' }),
  items: z
    .array(
      z.object({
        day: z.iso.date(),
        version: z.int(),
        permission: z.string().nullable().meta({
          description:
            'the requested permission that was granted; null: the request named none; `(other)`: after 100 a day they are counted together',
        }),
        uses: z.int().meta({ description: 'a request that names several permissions counts for each' }),
        last_used_at: Timestamp,
      }),
    )
    .meta({ description: 'the latest day first, at most 2000' }),
});
