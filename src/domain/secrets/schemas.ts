import { z } from 'zod';
import { mostInteger } from '../../platform/database/index.ts';
import { Flag, PageQuery, ShownText, Timestamp } from '../../platform/http/index.ts';
import { SortBy } from '../../platform/lists/index.ts';
import { Owner } from '../access/index.ts';
import { Risk } from '../credentials/index.ts';
import { GeneratedParts } from './generated-parts.ts';
import { SecretPath } from './paths.ts';

const mostMetadata = 64;
const tenYears = 3660 * 86_400;

export const SecretParams = z.strictObject({ path: SecretPath });
// Beyond it PostgreSQL has no integer.
const VersionText = z.coerce.number().int().min(1).max(mostInteger);

export const VersionParams = z.strictObject({ path: SecretPath, number: VersionText });

const CustomMetadata = z
  .record(z.string().min(1).max(128), z.string().max(512))
  .refine((named) => Object.keys(named).length <= mostMetadata, `must have at most ${mostMetadata} members`);

/** The members of a secret that can be changed, except its values. */
export const SecretSettings = z.strictObject({
  description: ShownText(500).nullable(),
  environment: ShownText(64)
    .nullable()
    .meta({ examples: ['prod'] }),
  risk: Risk.nullable().meta({ description: 'the impact if it leaks' }),
  owner: Owner.nullable(),
  custom_metadata: CustomMetadata.meta({ description: 'labels; they are stored readable' }),
  max_versions: z.int().min(1).max(1000).meta({ description: 'how many versions are kept; older ones are destroyed' }),
  cas_required: z.boolean().meta({ description: 'true: a write must name the current version' }),
  delete_after_seconds: z.int().min(1).max(tenYears).nullable().meta({
    description: 'how long each new version can be read; null: until it is deleted',
  }),
  location: ShownText(500)
    .nullable()
    .meta({
      description: 'where the credential is, if another system stores it',
      examples: ['AWS Secrets Manager, eu-central-1, shop/db'],
    }),
  accessible_to: z.array(ShownText(200)).max(50).meta({ description: 'who can access it there' }),
  rotated_at: Timestamp.nullable().meta({ description: 'when it was last replaced there' }),
});
export type SecretSettings = z.output<typeof SecretSettings>;

/** A JSON Merge Patch (RFC 7396): null removes a label. */
export const SecretPatch = SecretSettings.partial().extend({
  custom_metadata: z.record(z.string(), z.string().nullable()).optional().meta({
    description: 'labels to set; null removes one; they are stored readable',
  }),
});

/** A version in another store. Its number alone would not identify it: numbers begin again when a secret is created anew. */
const ImportedVersion = z.strictObject({
  number: z.int().min(1).max(mostInteger),
  created_at: ShownText(40).meta({
    description: 'as the other store writes it',
    examples: ['2026-05-04T10:11:12.123456789Z'],
  }),
});

export const VersionInput = z.strictObject({
  data: z
    .record(z.string().min(1).max(256), z.unknown())
    .optional()
    .meta({
      description: 'the value: named parts of any JSON; at most 1 MiB; required unless parts are generated',
      examples: [{ username: 'shop', password: '…' }],
    }),
  generate: GeneratedParts.optional(),
  cas: z.int().min(0).optional().meta({
    description: 'check-and-set: the version that must be current; 0: none; left out: any',
  }),
  ttl_seconds: z.int().min(1).max(tenYears).optional().meta({ description: 'how long this version can be read' }),
  imported: ImportedVersion.optional().meta({ description: 'the version in another store that this one is a copy of' }),
});

export const ReadQuery = z.strictObject({
  version: VersionText.optional().meta({ description: 'left out: the current one' }),
  reason: ShownText(500).optional().meta({ description: 'why it is read, for the audit log' }),
});

export const RollbackInput = z.strictObject({
  version: z.int().min(1).max(mostInteger).meta({ description: 'the version whose value the new one gets' }),
});

export const ConsumersQuery = z.strictObject({
  days: z.coerce.number().int().min(1).max(90).default(7).meta({ description: 'how far back' }),
  version: VersionText.optional().meta({ description: 'left out: all versions' }),
});

export const ConsumersView = z.object({
  items: z.array(
    z.object({
      version: z.int(),
      kind: z.string().meta({ examples: ['client', 'api_key', 'user'] }),
      id: z.string().nullable().meta({ description: 'the id in the audit log' }),
      reads: z.int(),
      reads_24h: z.int().meta({ description: 'reads in the last 24 hours' }),
      last_read_at: Timestamp,
      address: z.string().nullable().meta({ description: 'the address of the last read' }),
    }),
  ),
  since: Timestamp.meta({ description: 'reads from then on are counted' }),
  is_partial: z.boolean().meta({ description: 'true: only the newest reads are counted' }),
});

export const SearchInput = z.strictObject({
  value: z
    .unknown()
    .refine((value) => value !== undefined, 'is required')
    .meta({ description: 'a part of a value: a text, or any other JSON' }),
});
export const SearchView = z.object({
  hash: z.string().meta({ description: 'the HMAC of the value in audit events' }),
  items: z.array(
    z.object({
      path: z.string(),
      number: z.int().meta({ description: 'the number of the version' }),
      part: z.string().meta({ description: 'the part of the version with the value' }),
      is_current: z.boolean(),
      destroyed: z.boolean(),
    }),
  ),
});

const VersionState = z.enum(['live', 'deleted', 'expired', 'destroyed']);

export const SecretsQuery = z.strictObject({
  ...PageQuery,
  q: z
    .string()
    .max(100)
    .optional()
    .meta({ description: 'a part of the path, description, environment, location or labels' }),
  prefix: z
    .string()
    .regex(/^[A-Za-z0-9_./-]{0,240}$/, 'must be the beginning of a path')
    .optional()
    .meta({ description: 'only secrets whose path begins with this' }),
  risk: Risk.optional(),
  state: VersionState.or(z.literal('none')).optional().meta({
    description:
      'the state of the current version; `none`: it has no version, such as a credential that another system stores',
  }),
  due: Flag.optional().meta({ description: 'true: due for rotation; false: all others' }),
  sort: SortBy(['path', 'updated_at'], 'path'),
});

export const VersionView = z.object({
  number: z.int(),
  state: VersionState,
  size: z.int().meta({ description: 'bytes' }),
  created_by_kind: z.string(),
  created_by_id: z.string().nullable(),
  created_at: Timestamp,
  expires_at: Timestamp.nullable(),
  deleted_at: Timestamp.nullable(),
  destroyed_at: Timestamp.nullable(),
});

export const WrittenView = VersionView.extend({
  public: z.record(z.string(), z.string()).optional().meta({
    description: 'the generated parts that are not secret: public keys and certificates, in PEM',
  }),
});

export const VersionsView = z.object({ items: z.array(VersionView) });

export const SecretView = SecretSettings.extend({
  path: z.string(),
  current_version: z.int().meta({ description: '0: it has no version' }),
  current_state: VersionState.nullable().meta({ description: 'of the current version; null: it has no version' }),
  due_at: Timestamp.nullable().meta({
    description:
      'when to rotate it: by its risk, since the current version was written (or `rotated_at`, if it has no version), or when that expires; null: not scheduled',
  }),
  version: z.int().meta({ description: 'the version of the record itself, as in its ETag' }),
  imported: ImportedVersion.nullable().meta({
    description: 'the version in another store that was imported last: an import continues after it',
  }),
  created_at: Timestamp,
  updated_at: Timestamp,
});

export const SecretDetail = SecretView.extend({ versions: z.array(VersionView) });

export const SecretValue = z.object({
  path: z.string(),
  number: z.int().meta({ description: 'the version that was read' }),
  current_version: z.int(),
  data: z.record(z.string(), z.unknown()),
  custom_metadata: z.record(z.string(), z.string()),
  created_at: Timestamp,
  expires_at: Timestamp.nullable(),
});

export const VaultView = z.object({
  kind: z.enum(['static', 'shamir']),
  initialized: z.boolean(),
  sealed: z.boolean().meta({ description: 'on the node that answers' }),
  shares: z.int().meta({ description: 'the number of shares of the key; 0: none are needed' }),
  threshold: z.int().meta({ description: 'how many shares unseal the secrets' }),
  progress: z.int().meta({ description: 'how many this node has received so far' }),
  nonce: z.string().meta({ description: 'identifies the attempt; empty before the first share' }),
  term: z
    .object({
      term: z.int().meta({ description: 'its number' }),
      created_at: Timestamp,
      versions: z.int().meta({ description: 'versions of secrets whose keys are encrypted under it' }),
      earlier_versions: z.int().meta({ description: 'those that wait to be encrypted under it' }),
    })
    .nullable()
    .meta({
      description: 'the current term, whose key encrypts those of versions; null: the vault is not initialized',
    }),
});

const mostShares = 255;
export const InitializationInput = z.strictObject({
  shares: z.int().min(1).max(mostShares).default(5).meta({ description: 'how many shares are created' }),
  threshold: z.int().min(1).max(mostShares).default(3).meta({ description: 'how many shares unseal the secrets' }),
});
export const InitializedView = z.object({
  keys: z.array(z.string()).meta({ description: 'the shares, in base64; they are shown once' }),
  threshold: z.int(),
});
export const RotatedView = z.object({ term: z.int().meta({ description: 'the number of the term' }) });
export const UnsealInput = z.strictObject({
  key: z.string().min(1).max(200).optional().meta({ description: 'a share of the key, in base64 or hexadecimal' }),
});
