import { z } from 'zod';
import { PageQuery, Timestamp } from '../../platform/http/index.ts';
import { SortBy } from '../../platform/lists/index.ts';
import { UserReferenceText } from '../access/index.ts';

export const SessionsQuery = z.strictObject({
  ...PageQuery,
  sort: SortBy(['signed_in_at', 'last_seen_at'], '-last_seen_at'),
});
export const SessionsParams = z.strictObject({
  user: UserReferenceText,
});
export const SessionParams = z.strictObject({ session_id: z.string().min(1).max(128) });
export const SessionView = z.object({
  session_id: z.string(),
  user_id: z.uuid(),
  username: z.string(),
  address: z.string().nullable(),
  user_agent: z.string().nullable(),
  signed_in_at: Timestamp,
  last_seen_at: Timestamp,
  apps: z
    .array(z.object({ name: z.string(), lasting: z.boolean() }))
    .meta({ description: 'the clients used in it; a lasting one keeps its access when the session ends' }),
});
