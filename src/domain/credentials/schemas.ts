import { z } from 'zod';
import { Flag, PageQuery, Timestamp } from '../../platform/http/index.ts';
import { SortBy } from '../../platform/lists/index.ts';
import { UserReferenceText } from '../access/index.ts';
import { Risk } from './risk.ts';

/** The orders of the list of credentials. */
const credentialOrders = ['name', 'created_at', 'expires_at', 'due_at', 'last_used_at'] as const;
export type CredentialOrder = (typeof credentialOrders)[number];

export const credentialStates = ['active', 'inactive', 'expired', 'revoked'] as const;

export const CredentialsQuery = z.strictObject({
  ...PageQuery,
  q: z.string().max(100).optional().meta({
    description: 'the beginnings of words of the name, the location or the owner, or the beginning of the id',
  }),
  kind: z.string().min(1).max(64).optional().meta({
    description:
      'only this kind, such as api_key; sessions, grants, passwords and tokens are listed only if their kind or an owner is named',
  }),
  client_id: z.string().min(1).max(255).optional().meta({ description: 'only credentials owned by this client' }),
  user: UserReferenceText.optional(),
  state: z.enum(credentialStates).optional().meta({
    description: 'inactive: neither expired nor revoked, but it or its owner is disabled or revoked',
  }),
  due: Flag.optional().meta({ description: 'true: active and due for rotation; false: all others' }),
  sort: SortBy(credentialOrders, '-created_at').removeDefault().optional().meta({
    description:
      'what to sort by; with `-`: descending. Default: the newest first, access tokens by expiry. Kinds that are listed only by name have no other order, unless an owner is named',
  }),
});

const nothing = { description: 'null: not applicable or unknown' };

export const CredentialView = z.object({
  kind: z.string(),
  id: z.string().meta({ description: 'identifies the credential; never its value' }),
  name: z.string(),
  owner: z.object({ kind: z.enum(['user', 'client']), id: z.uuid(), name: z.string() }).nullable(),
  risk: Risk.nullable(),
  environment: z.string().nullable(),
  version: z.int().nullable().meta(nothing),
  state: z.enum(credentialStates),
  created_at: Timestamp,
  last_used_at: Timestamp.nullable().meta(nothing),
  expires_at: Timestamp.nullable().meta({ description: 'null: never' }),
  due_at: Timestamp.nullable().meta({ description: 'when to rotate it, based on its risk; null: not scheduled' }),
  location: z.string().nullable().meta({ description: 'where it is used, or where it was sent' }),
  revoked_at: Timestamp.nullable(),
});
export type Credential = z.output<typeof CredentialView>;
