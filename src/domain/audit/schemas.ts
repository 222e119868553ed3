import { z } from 'zod';
import { PageQuery, Timestamp } from '../../platform/http/index.ts';

const id = z.string().min(1).max(512).optional();

export const EventsQuery = z.strictObject({
  ...PageQuery,
  actor: id.meta({ description: 'who did it: the id of a person, a client_id, an account of the system' }),
  actor_kind: z.enum(['user', 'client', 'api_key', 'anonymous', 'system']).optional(),
  target: id.meta({ description: 'to what or whom it was done' }),
  target_kind: z.string().min(1).max(64).optional(),
  action: z.string().min(1).max(64).optional(),
  outcome: z.enum(['success', 'failure']).optional(),
  request_id: z.string().min(1).max(64).optional(),
  from: Timestamp.optional(),
  to: Timestamp.optional().meta({ description: 'up to, but without' }),
  text: z.string().min(1).max(200).optional().meta({ description: 'anywhere in the event' }),
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
  address: z.string().nullable().meta({ description: 'null where there was none, and where it was erased' }),
  user_agent: z.string().nullable(),
  request_id: z.string().nullable(),
  details: z.record(z.string(), z.unknown()).nullable(),
});

export const SealedRangeQuery = z.strictObject({
  from: Timestamp.optional().meta({ description: 'segments sealed from then on' }),
  to: Timestamp.optional(),
});

export const VerificationView = z.object({
  is_intact: z.boolean(),
  fault: z.looseObject({}).nullable().meta({ description: 'the first thing that is not as it was sealed' }),
  segments: z.int(),
  events: z.int(),
  without_details: z.int().meta({ description: 'of how many events address and user agent were erased, or were none' }),
  unsealed: z.int().meta({ description: 'events that wait for their seal, which comes within a second' }),
  head: z.object({ number: z.int(), head: z.string(), sealed_at: Timestamp }),
});
