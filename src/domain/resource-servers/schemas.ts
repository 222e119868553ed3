import { z } from 'zod';
import { isSeen, notSeen, PageQuery, ShownText, Timestamp } from '../../platform/http/index.ts';
import { SortBy } from '../../platform/lists/index.ts';
import { isPermissionPattern } from '../access/index.ts';
import { FactorList, requirableClasses } from '../assurance/index.ts';
import { signingAlgs } from '../signing-keys/index.ts';

const Scope = z.strictObject({
  name: z.string().refine(isPermissionPattern, 'must be segments of letters, digits, "_", "." and "-" joined by ":"'),
  description: ShownText(200).optional().meta({ description: 'shown to users on the consent page' }),
  default: z.boolean().default(false).meta({ description: 'granted when a request names no scope' }),
  optional: z.boolean().default(false).meta({ description: 'users may decline it' }),
  sensitive: z.boolean().default(false).meta({ description: 'marked as risky on the consent page' }),
  open: z
    .boolean()
    .default(false)
    .meta({ description: 'clients that no operator registered may request it from users, as open_to allows' }),
});

/** From the strictest to the most open. */
export const openTo = ['registered', 'documented', 'anyone'] as const;

/** A protected API as configuration names it. */
export const ResourceServerInput = z.strictObject({
  identifier: z
    .url({ protocol: /^(https?|urn)$/ })
    .max(512)
    .refine((uri) => !uri.includes('#'), 'must not have a fragment (RFC 8707 §2)')
    .refine(isSeen, notSeen),
  name: ShownText(100),
  access_token_format: z.enum(['opaque', 'jwt']).default('opaque'),
  access_token_signing_alg: z.enum(signingAlgs).optional(),
  access_token_ttl_seconds: z.int().positive().max(86_400).optional(),
  assignment_required: z.boolean().default(false).meta({ description: 'users also need a role that allows the scope' }),
  dpop_required: z
    .boolean()
    .default(false)
    .meta({ description: 'its access tokens must be bound to a key of the client (RFC 9449)' }),
  required_acr: z.enum(requirableClasses).optional().meta({
    description: 'how users must have signed in for its access tokens; a stronger class is accepted, too',
  }),
  allowed_factors: FactorList.nullish().meta({
    description:
      'the methods that users must have signed in with for its access tokens; null: any that the sign-in policy allows',
  }),
  open_to: z.enum(openTo).default('registered').meta({
    description:
      'the clients that may request its open scopes from users. registered: only those that are registered for it; documented: also those with a client ID metadata document; anyone: also those that register themselves (RFC 7591)',
  }),
  enabled: z.boolean().default(true),
  scopes: z.array(Scope).max(500).default([]),
});
export type ResourceServerInput = z.infer<typeof ResourceServerInput>;

export const ResourceServerView = ResourceServerInput.extend({
  built_in: z.boolean().meta({ description: 'Latchkey’s own: only the lifetime of its access tokens can be changed' }),
  tokens_valid_after: Timestamp.nullable(),
  version: z.int(),
  created_at: Timestamp,
  updated_at: Timestamp,
});
export const ResourceServerParams = z.strictObject({
  identifier: z.string().min(1).max(512).meta({ description: 'percent-encoded' }),
});
export const ResourceServersQuery = z.strictObject({
  ...PageQuery,
  q: z.string().max(100).optional().meta({ description: 'the words, or their beginnings, of the identifier or name' }),
  sort: SortBy(['identifier', 'name', 'created_at'], 'identifier'),
});
