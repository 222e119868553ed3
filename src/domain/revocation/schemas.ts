import { z } from 'zod';
import { Timestamp } from '../../platform/http/index.ts';
import { UserReferenceText } from '../access/index.ts';
import { KeyHandle } from '../api-keys/index.ts';

/** What to revoke, by any handle that identifies it. */
export const Handle = z
  .union([
    z.strictObject({ token: z.string().min(1).max(8192).meta({ description: 'an access or refresh token' }) }),
    z.strictObject({ grant_id: z.uuid() }),
    z.strictObject({ session_id: z.string().min(1).max(128) }),
    z.strictObject({ user: UserReferenceText }),
    z.strictObject({ client_id: z.string().min(1).max(255) }),
    z.strictObject({ resource_server: z.string().min(1).max(512) }),
    z.strictObject({
      issued_before: Timestamp,
      include_api_keys: z
        .boolean()
        .optional()
        .meta({ description: 'also revoke API keys that were issued up to this time' }),
    }),
    z.strictObject({ api_keys: KeyHandle }),
  ])
  .meta({
    description: 'one of: token, grant_id, session_id, user, client_id, resource_server, issued_before, api_keys',
  });
export type Handle = z.output<typeof Handle>;

/** One credential, by its kind and id in the inventory. */
const CredentialHandle = z.strictObject({
  credential: z
    .strictObject({ kind: z.string().min(1).max(64), id: z.string().regex(/^[\w.:-]{1,128}$/) })
    .meta({ description: 'one credential of `GET /credentials`' }),
});

export const RevocationInput = z.strictObject({
  handle: z.union([...Handle.options, CredentialHandle]).meta({
    description: `${Handle.meta()?.description}, credential`,
  }),
  dry_run: z.boolean().default(false).meta({ description: 'only count what would be revoked' }),
});
export const RevocationView = z.object({
  dry_run: z.boolean(),
  revoked_at: Timestamp.nullable(),
  impact: z.object({
    sessions: z.int(),
    refresh_families: z.int(),
    access_tokens: z.int(),
    api_keys: z.int(),
    other_credentials: z
      .int()
      .optional()
      .meta({ description: 'for `credential`: 1 if it is an active credential of another kind' }),
  }),
});
