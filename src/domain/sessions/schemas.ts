import { z } from 'zod';
import { PageQuery, Timestamp } from '../../platform/http/index.ts';
import { UserReferenceText } from '../access/index.ts';

export const SessionsQuery = z.strictObject(PageQuery);
export const SessionsParams = z.strictObject({
  user: UserReferenceText,
});
export const SessionParams = z.strictObject({ session_id: z.string().min(1).max(128) });
export const SessionView = z.object({
  session_id: z.string(),
  address: z.string().nullable(),
  user_agent: z.string().nullable(),
  signed_in_at: Timestamp,
  last_seen_at: Timestamp,
  apps: z
    .array(z.object({ name: z.string(), lasting: z.boolean() }))
    .meta({ description: 'the clients that were used in it; a lasting one keeps its access when the session ends' }),
});
