import { z } from 'zod';
import { isSeen, notSeen, PageQuery, previousExpiry, ShownText, Timestamp } from '../../platform/http/index.ts';
import { SortBy } from '../../platform/lists/index.ts';
import { isPermissionPattern, Owner, UserReferenceText } from '../access/index.ts';
import { Risk } from '../credentials/index.ts';
import { Restrictions } from '../restrictions/index.ts';
import { environmentShape } from './format.ts';

const longestDays = 3660;
const mostOverlapSeconds = 30 * 86_400;

const aPermission =
  'a permission such as "orders:read" or "database:read:*": segments of letters, digits, "_", "." and "-", or "*", joined by ":"';
const Pattern = z
  .string()
  .refine(isPermissionPattern, `must be ${aPermission}`)
  .meta({ examples: ['database:read:*'] });
const KeyRight = z.strictObject({
  resource: ShownText(512).nullable().default(null).meta({ description: 'an API’s identifier; null: any' }),
  pattern: Pattern,
});
/** A pattern alone applies at every API of the key. */
const Permission = z.union([Pattern.transform((pattern) => ({ resource: null, pattern })), KeyRight], {
  error: `must be ${aPermission}; or, at one API, { "resource": "https://api.example", "pattern": "orders:read" }`,
});

export const KeyOwner = Owner.meta({
  description: 'the client or user that owns the key; the key is refused while its owner is disabled',
});

export const KeyEnvironment = z
  .string()
  .regex(environmentShape, 'must be lowercase letters and digits, starting with a letter');
const Tag = z
  .string()
  .regex(/^[\p{L}\p{N}_.:/-]{1,64}$/u, 'must be letters, digits, "_", ".", ":", "/" or "-"')
  .refine(isSeen, notSeen);
const Metadata = z
  .record(
    ShownText(64),
    z.union([z.literal(''), ShownText(500), z.number(), z.boolean()], {
      error: 'must be a string of up to 500 characters, a number, true or false',
    }),
  )
  .refine((members) => Object.keys(members).length <= 50, 'must have at most 50 members');

/** The members of a key that can be changed. */
export const changeable = {
  name: ShownText(100),
  description: ShownText(500).optional(),
  risk: Risk.default('medium').meta({ description: 'the impact of its loss; sets the default lifetime' }),
  permissions: z.array(Permission).max(200).default([]),
  roles: z
    .array(z.string().min(1).max(64))
    .max(50)
    .default([])
    .meta({ description: 'the key also has the permissions of these roles' }),
  restrictions: Restrictions.default({}),
  tags: z.array(Tag).max(50).default([]),
  metadata: Metadata.default({}),
};

const Days = z.int().min(1).max(longestDays);

/** The expiry of a new key: at most one of these members. */
export const expiry = {
  expires_in_days: Days.optional(),
  expires_at: Timestamp.optional(),
  never_expires: z.literal(true).optional().meta({ description: 'needs latchkey:api_key:never_expire' }),
};

/** A key to create. Its default lifetime is 30, 90 or 180 days, by its risk. */
export const KeyInput = z
  .strictObject({
    ...changeable,
    ...expiry,
    owner: KeyOwner.optional().meta({ description: 'omitted: the caller' }),
    environment: KeyEnvironment,
  })
  .refine(saysOneExpiry, { path: ['expires_at'], error: 'must not come with another expiry' });
export type KeyInput = z.output<typeof KeyInput>;

export function saysOneExpiry(input: {
  expires_in_days?: unknown;
  expires_at?: unknown;
  never_expires?: unknown;
}): boolean {
  const { expires_in_days, expires_at, never_expires } = input;
  return [expires_in_days, expires_at, never_expires].filter((said) => said !== undefined).length <= 1;
}

/** A key as a merge patch sees it; without an expiry it never expires. */
export const KeyChanges = z.strictObject({ ...changeable, expires_at: Timestamp.optional() });
export type KeyChanges = z.output<typeof KeyChanges>;

export const RotationInput = z
  .strictObject({
    overlap_seconds: z.int().min(0).max(mostOverlapSeconds).default(86_400).meta({
      description: 'how long the previous version is still accepted; never beyond its own expiry',
    }),
    expires_in_days: Days.optional().meta({ description: 'omitted: the expiry does not change' }),
    expires_at: Timestamp.optional(),
  })
  .refine(saysOneExpiry, { path: ['expires_at'], error: 'must not come with another expiry' });
export type RotationInput = z.output<typeof RotationInput>;

/** Keys to revoke, by any handle that identifies them. */
export const KeyHandle = z
  .union([
    z.strictObject({ id: z.uuid() }),
    z.strictObject({ key: z.string().min(1).max(128).meta({ description: 'the key itself' }) }),
    z.strictObject({ owner: KeyOwner }),
    z.strictObject({ tag: Tag }),
    z.strictObject({ environment: KeyEnvironment }),
    z.strictObject({
      prefix: z
        .string()
        .regex(
          /^sk_[a-z][a-z0-9]{0,15}_[0-9A-Za-z]{2,49}$/,
          'must be the beginning of a key: sk_…_ and at least 2 characters',
        ),
    }),
  ])
  .meta({ description: 'one of: id, key, owner, tag, environment, prefix' });
export type KeyHandle = z.output<typeof KeyHandle>;

export const KeyParams = z.strictObject({ key_id: z.uuid() });
export const keyStates = ['active', 'disabled', 'expired', 'revoked'] as const;
export const KeysQuery = z.strictObject({
  ...PageQuery,
  q: z
    .string()
    .max(100)
    .optional()
    .meta({ description: 'the words, or their beginnings, of the name or description; or the beginning of the key' }),
  client_id: z.string().max(255).optional(),
  user: UserReferenceText.optional(),
  environment: KeyEnvironment.optional(),
  tag: Tag.optional(),
  state: z.enum(keyStates).optional(),
  sort: SortBy(['name', 'created_at', 'expires_at', 'last_used_at'], '-created_at'),
});

/** The orders of a user's own keys. */
export const keyOrders = ['-created_at', 'name', '-last_used_at', 'expires_at'] as const;
export const OwnKeysQuery = z.strictObject({
  ...KeysQuery.pick({ q: true, environment: true, state: true }).shape,
  sort: z.enum(keyOrders).default('-created_at'),
});

const VersionView = z.object({
  number: z.int(),
  start: z.string().meta({ description: 'its first characters' }),
  last_four: z.string(),
  issued_at: Timestamp,
  ends_at: Timestamp.nullable().meta({ description: 'null: it expires with the key' }),
});

/** A key as the API shows it: never its value. */
export const KeyView = z.object({
  id: z.uuid(),
  name: z.string(),
  description: z.string().nullable(),
  environment: z.string(),
  owner: z.object({ kind: z.enum(['user', 'client']), id: z.uuid(), name: z.string() }),
  risk: Risk,
  permissions: z.array(z.object({ resource: z.string().nullable(), pattern: z.string() })),
  roles: z.array(z.string()),
  restrictions: z.record(z.string(), z.unknown()),
  restrictions_in_words: z.array(z.string()),
  tags: z.array(z.string()),
  metadata: z.record(z.string(), z.unknown()),
  state: z.enum(keyStates),
  expires_at: Timestamp.nullable().meta({ description: 'null: never' }),
  revoked_at: Timestamp.nullable(),
  last_used_at: Timestamp.nullable().meta({ description: 'updated at most a second late' }),
  versions: z.array(VersionView).meta({ description: 'the current one first' }),
  version: z.int(),
  created_at: Timestamp,
  updated_at: Timestamp,
});

const once = { description: 'shown once; only a digest is stored' };
export const CreatedKeyView = KeyView.extend({ key: z.string().meta(once) });
export const RotatedKeyView = z.object({
  id: z.uuid(),
  key: z.string().meta(once),
  expires_at: Timestamp.nullable(),
  previous_expired_at: Timestamp.nullable().meta({ description: 'the previous `expires_at`' }),
  expiry_extended: z.boolean(),
  ...previousExpiry('previous_ends_at'),
});

export const UsageQuery = z.strictObject({ days: z.coerce.number().int().min(1).max(366).default(30) });
export const UsageView = z.object({
  last_used_at: Timestamp.nullable(),
  allowed: z.int(),
  refused: z.int(),
  days: z.array(z.object({ day: z.iso.date(), allowed: z.int(), refused: z.int() })),
});
