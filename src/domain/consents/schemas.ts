import { z } from 'zod';
import { Flag, PageQuery, Timestamp } from '../../platform/http/index.ts';
import { SortBy } from '../../platform/lists/index.ts';
import { UserReferenceText } from '../access/index.ts';

const Whose = {
  user: UserReferenceText.optional(),
  client_id: z.string().max(255).optional(),
};

export const ConsentsQuery = z.strictObject({
  ...PageQuery,
  ...Whose,
  standing: Flag.optional().meta({ description: 'true: only active consents; false: only revoked ones' }),
  sort: SortBy(['allowed_at'], '-allowed_at'),
});
export const ConsentParams = z.strictObject({ consent_id: z.uuid() });
export const ConsentView = z.object({
  consent_id: z.uuid(),
  user_id: z.uuid(),
  username: z.string(),
  client_id: z.string(),
  client_name: z.string(),
  registered_by: z.string().meta({ description: 'how the client was registered, as `registered_by` of clients' }),
  scopes: z.object({
    openid: z.array(z.string()),
    resources: z.record(z.string(), z.array(z.string())),
  }),
  allowed_at: Timestamp,
  last_used_at: Timestamp.nullable(),
  expires_at: Timestamp.nullable(),
  revoked_at: Timestamp.nullable(),
});

export const GrantsQuery = z.strictObject({ ...PageQuery, ...Whose, sort: SortBy(['created_at'], '-created_at') });
export const GrantParams = z.strictObject({ grant_id: z.uuid() });
export const GrantView = z.object({
  id: z.uuid(),
  user_id: z.uuid(),
  username: z.string(),
  client_id: z.string(),
  client_name: z.string(),
  consent_id: z.uuid().nullable(),
  session_id: z.string().nullable(),
  offline: z.boolean().meta({ description: 'outlives the browser session' }),
  created_at: Timestamp,
});
