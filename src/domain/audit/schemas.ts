import { z } from 'zod';
import { PageQuery, Timestamp } from '../../platform/http/index.ts';
import { SortBy } from '../../platform/lists/index.ts';

const id = z.string().min(1).max(512).optional();

const filters = {
  actor: id.meta({ description: 'the actor: the id of a user, a client_id, or an operating-system account' }),
  actor_kind: z.enum(['user', 'client', 'api_key', 'anonymous', 'system']).optional(),
  target: id.meta({ description: 'the target of the action' }),
  target_kind: z.string().min(1).max(64).optional(),
  action: z.string().min(1).max(64).optional(),
  outcome: z.enum(['success', 'failure']).optional(),
  request_id: z.string().min(1).max(64).optional(),
  from: Timestamp.optional(),
  to: Timestamp.optional().meta({ description: 'exclusive' }),
  text: z.string().min(1).max(200).optional().meta({ description: 'text found anywhere in the event' }),
};

export const EventsQuery = z.strictObject({
  ...PageQuery,
  ...filters,
  sort: SortBy(['occurred_at'], '-occurred_at'),
});

export const EventView = z.object({
  id: z.uuid(),
  occurred_at: Timestamp,
  actor_kind: z.string(),
  actor_id: z.string().nullable(),
  action: z.string(),
  target_kind: z.string().nullable(),
  target_id: z.string().nullable(),
  outcome: z.enum(['success', 'failure']),
  reason: z.string().nullable(),
  address: z.string().nullable().meta({ description: 'null: there was none, or it was erased' }),
  user_agent: z.string().nullable(),
  request_id: z.string().nullable(),
  details: z.record(z.string(), z.unknown()).nullable(),
});

export const HistogramQuery = z.strictObject(filters);

export const HistogramView = z.object({
  from: Timestamp.meta({ description: 'when the first period starts' }),
  to: Timestamp,
  step_seconds: z.int().meta({ description: 'the length of a period; depends on the range: at most 61 periods' }),
  is_partial: z.boolean().meta({ description: 'true: only the newest events, from `from` on, were counted' }),
  items: z
    .array(z.object({ starts_at: Timestamp, success: z.int(), failure: z.int() }))
    .meta({ description: 'periods without events are left out' }),
});

export const EventParams = z.strictObject({ event_id: z.uuid() });

export const PlacedEventView = EventView.extend({
  chain: z.object({
    state: z.enum(['verified', 'unsealed', 'changed']).meta({
      description:
        'verified: the event is unchanged since it was sealed, and its segment is signed; unsealed: sealing takes a second',
    }),
    fault: z.string().nullable().meta({ description: 'the difference from the sealed event' }),
    digest: z.string().meta({ description: 'SHA-256 of the event, hex' }),
    segment: z
      .object({
        number: z.int(),
        sealed_at: Timestamp,
        head: z.string(),
        ordinal: z.int().meta({ description: 'its position among the events of the segment, from 1' }),
        size: z.int().meta({ description: 'the number of events of the segment' }),
      })
      .nullable(),
    previous_id: z.uuid().nullable().meta({ description: 'the event before it in the chain' }),
    next_id: z.uuid().nullable(),
  }),
});

export const SealedRangeQuery = z.strictObject({
  from: Timestamp.optional().meta({ description: 'segments sealed from then on' }),
  to: Timestamp.optional(),
});

export const VerificationView = z.object({
  is_intact: z.boolean(),
  fault: z.looseObject({}).nullable().meta({ description: 'the first difference from the sealed events' }),
  segments: z.int(),
  events: z.int(),
  without_details: z
    .int()
    .meta({ description: 'the number of events whose address and user agent were erased, or that had none' }),
  unsealed: z.int().meta({ description: 'events that are not sealed yet; sealing takes less than a second' }),
  head: z.object({ number: z.int(), head: z.string(), sealed_at: Timestamp }),
});
