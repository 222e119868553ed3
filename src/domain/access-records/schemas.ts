import { z } from 'zod';
import { PageQuery, Timestamp } from '../../platform/http/index.ts';
import { SortBy } from '../../platform/lists/index.ts';

const id = z.string().min(1).max(512).optional();

export const AccessRecordsQuery = z.strictObject({
  ...PageQuery,
  kind: z.enum(['introspection', 'userinfo', 'verification', 'exchange']).optional(),
  outcome: z.enum(['active', 'inactive', 'refused']).optional(),
  credential: id.meta({ description: 'SHA-256 (hex) of an opaque token, the `jti` of a JWT, or the id of an API key' }),
  caller: id.meta({ description: 'the `client_id` or id of the caller' }),
  client: id.meta({ description: '`client_id` to which the credential was issued' }),
  user: z.uuid().optional().meta({ description: 'the user that the credential was issued to' }),
  address: z.string().min(1).max(64).optional(),
  from: Timestamp.optional(),
  to: Timestamp.optional().meta({ description: 'exclusive' }),
  sort: SortBy(['occurred_at'], '-occurred_at'),
});

export const AccessRecordView = z.object({
  id: z.uuid(),
  kind: z.string().meta({ description: 'where the credential was used' }),
  outcome: z
    .string()
    .meta({ description: 'active, inactive (introspection of an unknown, expired or revoked token) or refused' }),
  caller: z
    .string()
    .nullable()
    .meta({ description: 'the client or user that asked; null: the holder used it, or a proxy asked' }),
  credential: z.string().nullable().meta({ description: 'null if Latchkey did not issue the token' }),
  client_id: z.string().nullable(),
  user_id: z.uuid().nullable(),
  address: z.string().nullable().meta({ description: 'the address of the caller' }),
  request_id: z.string().nullable().meta({ description: 'the request id of the first use' }),
  uses: z.int().meta({ description: 'the number of uses within half a second that differ only in the request' }),
  credential_version: z.int().nullable().meta({ description: 'the version of an API key' }),
  permissions: z
    .array(z.string())
    .nullable()
    .meta({ description: 'the requested permission that an API key granted; `(other)`: too many to list' }),
  occurred_at: Timestamp,
  last_at: Timestamp,
});
