import { z } from 'zod';
import { isSeen, notSeen, PageQuery, ShownText, Timestamp } from '../../platform/http/index.ts';
import { SortBy } from '../../platform/lists/index.ts';
import { isPermissionPattern } from './permissions.ts';

export const RoleName = z
  .string()
  .regex(
    /^[a-z][a-z0-9._-]{0,63}$/,
    'must be 1 to 64 lowercase letters, digits, ".", "_" or "-", starting with a letter',
  );

const Pattern = z
  .string()
  .refine(isPermissionPattern, 'must be segments of letters, digits, "_", "." and "-", or "*", joined by ":"')
  .meta({ examples: ['database:read:*'] });

const RoleRight = z.strictObject({
  resource: z
    .string()
    .max(512)
    .refine(isSeen, notSeen)
    .nullable()
    .default(null)
    .meta({ description: 'the identifier of an API; null: every API' }),
  pattern: Pattern,
});

// Programs that read groups join them with commas and spaces, or compare them with their own names; Kubernetes reserves `system:`.
const GroupName = z
  .string()
  .regex(/^[A-Za-z0-9/][A-Za-z0-9._:/@+-]{0,63}$/, 'must be 1 to 64 letters, digits, or any of "._:/@+-"')
  .refine((name) => !/^system:/i.test(name), 'must not begin with "system:", which Kubernetes reserves')
  .meta({
    description:
      'the name of a group, in the claim `groups`, that contains everyone with this role; needs latchkey:group:export',
    examples: ['platform-admins'],
  });

export const RoleInput = z.strictObject({
  name: RoleName,
  description: ShownText(200).optional(),
  exported_as: GroupName.optional(),
  permissions: z.array(RoleRight).max(500).default([]),
});
export type RoleInput = z.infer<typeof RoleInput>;

export const RoleChanges = z.strictObject({
  description: ShownText(200).nullable().optional(),
  exported_as: GroupName.nullable().optional(),
  permissions: z.array(RoleRight).max(500).optional(),
});
export type RoleChanges = z.infer<typeof RoleChanges>;

export const RoleView = z.object({
  name: z.string(),
  description: z.string().nullable(),
  built_in: z.boolean(),
  exported_as: z.string().nullable().meta({ description: 'the group that applications see; null: none' }),
  permissions: z.array(z.object({ resource: z.string().nullable(), pattern: z.string() })),
  version: z.int(),
  created_at: Timestamp,
  updated_at: Timestamp,
});

export const RoleParams = z.strictObject({ role: RoleName });
export const SubjectParams = z.strictObject({
  kind: z.enum(['user', 'client']),
  subject: z.string().min(1).max(263).meta({
    description:
      'a client’s `client_id`; a user’s `id:…`, `username:…` or `email:…` (without a prefix: an id if it looks like one, an e-mail address if it has an "@", otherwise a username)',
  }),
});
export const AssignmentParams = z.strictObject({ role: RoleName, ...SubjectParams.shape });
export const AssignmentInput = z.strictObject({
  until: Timestamp.optional().meta({ description: 'when the assignment expires; omitted: never' }),
});
export const AssignmentView = z.object({
  role: z.string(),
  subject_kind: z.enum(['user', 'client']),
  subject: z.string(),
  subject_id: z.uuid(),
  until: Timestamp.nullable(),
  granted_by: z.object({ kind: z.string(), id: z.string().nullable(), name: z.string().nullable() }).nullable().meta({
    description:
      'who assigned it, in the form of an event’s actor; `trust`: a role mapping of this identity provider; null: assigned before this was recorded',
  }),
  created_at: Timestamp,
});
// Forms list every role, because there are few.
export const RolesQuery = z.strictObject({
  ...PageQuery,
  limit: PageQuery.limit.unwrap().default(200),
  q: z.string().max(100).optional().meta({ description: 'part of the name or description' }),
  sort: SortBy(['name', 'created_at'], 'name'),
});
export const AssignmentsQuery = z.strictObject(PageQuery);

export const ExplainQuery = z.strictObject({
  ...SubjectParams.shape,
  resource: z.string().min(1).max(512),
  permission: Pattern,
});
export const ExplainView = z.object({ allowed: z.boolean(), because: z.string() });
