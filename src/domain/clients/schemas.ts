import { z } from 'zod';
import {
  Flag,
  isSeen,
  notSeen,
  PageQuery,
  previousExpiry,
  SecretText,
  ShownText,
  Timestamp,
} from '../../platform/http/index.ts';
import { SortBy } from '../../platform/lists/index.ts';
import { Owner } from '../access/index.ts';
import { FactorList } from '../assurance/index.ts';
import { Risk } from '../credentials/index.ts';
import { CorsOrigins } from './cors-origins.ts';

const mostResources = 100;
const mostScopes = 500;
const ApiIdentifier = z.url().refine(isSeen, notSeen);
const scopesPerResource = z
  .record(ApiIdentifier, z.array(ShownText(256)).max(mostScopes))
  .refine((named) => Object.keys(named).length <= mostResources, `must name at most ${mostResources} resource servers`);
const seconds = z.int().positive();
const day = 86_400;

/** Overrides of the installation's lifetimes, in seconds; within the same bounds. */
const Lifetimes = z.strictObject({
  access_token: seconds.max(day).optional(),
  refresh_token_idle: seconds.max(366 * day).optional(),
  refresh_token_absolute: seconds.max(1830 * day).optional(),
  refresh_grace: z.int().min(0).max(60).optional(),
});

const clientIdShape = /^[\u0021-\u007e]{1,255}$/;
const types = ['web', 'spa', 'native', 'service', 'agent', 'workload'] as const;
const registrars = ['operator', 'document', 'dynamic', 'trust'] as const;

/** Whether this version knows this way of registration: during an upgrade, a newer version may know more. */
export const isKnownRegistrar = (registered_by: string): boolean => registrars.some((known) => known === registered_by);

/** Whether a text has the form of a `client_id`; others need no query. */
export const isClientId = (text: string): boolean => clientIdShape.test(text);

/** Members that Latchkey adds to those of RFC 7591. */
const clientExtensions = {
  first_party: z.boolean().default(false).meta({ description: 'users are not asked for consent' }),
  claims_in_id_token: z.boolean().default(true).meta({
    description:
      'ID tokens contain the claims of the granted scopes profile, email and groups; false: only those that the claims parameter requests; userinfo returns the others',
  }),
  allowed_factors: FactorList.nullish().meta({
    description: 'the methods that users must have signed in with for it; null: any that the sign-in policy allows',
  }),
  enabled: z.boolean().default(true),
  owner: Owner.optional().meta({
    description: 'the client or user responsible for it, who is notified of leaked secrets and gains no permissions',
  }),
  risk: Risk.optional().meta({
    description:
      'the impact of the loss of its secrets: high, medium and low set a default lifetime of 30, 90 and 180 days',
  }),
  resources: scopesPerResource
    .default({})
    .meta({ description: 'the scopes that it may request on behalf of users, per resource server' }),
  service_permissions: scopesPerResource
    .default({})
    .meta({ description: 'the scopes that it may have for itself, per resource server' }),
  introspects: z
    .array(ApiIdentifier)
    .max(mostResources)
    .default([])
    .meta({ description: 'resource servers whose tokens it may introspect' }),
  lifetimes: Lifetimes.default({}),
};

// RFC 6749 Appendix A.2. A client cannot send other characters.
const ClientSecret = SecretText.min(16, 'must have at least 16 characters')
  .max(512)
  .refine((secret) => !/[\r\n]$/.test(secret), 'ends with a line break, which a request cannot contain: remove it')
  .regex(/^[\u0020-\u007e]*[\r\n]*$/, 'must be printable ASCII characters (RFC 6749 A.2)');

type Issues = { addIssue: (issue: { code: 'custom'; path: string[]; message: string }) => void };

const judgedAlone = new Set(['client_id', 'client_secret', 'client_name', 'introspects']);

/** Every text among RFC 7591's members is shown to users: in the console, in the log, on the consent page. */
function refuseUnseen(client: Record<string, unknown>, { addIssue }: Issues): void {
  for (const [member, value] of Object.entries(client)) {
    if (judgedAlone.has(member)) continue;
    const texts = [value].flat().filter((each) => typeof each === 'string');
    if (texts.some((text) => text !== '' && !isSeen(text)))
      addIssue({ code: 'custom', path: [member], message: notSeen });
  }
}

/**
 * A client as configuration names it: RFC 7591 members (checked by the provider) and ours. Control characters and
 * unknown members are refused where it is stored.
 */
export const ClientInput = z
  .looseObject({
    client_id: z
      .string()
      .regex(clientIdShape, 'must be 1 to 255 printable ASCII characters')
      .regex(/[^.]/, 'must not be of dots alone')
      .meta({ description: 'may be a UUID only if no user, client or API key has that id' }),
    client_secret: ClientSecret.optional(),
    client_name: ShownText(100).optional(),
    scope: z.string().optional(),
    allowed_cors_origins: CorsOrigins.optional(),
    ...clientExtensions,
  })
  .superRefine(refuseUnseen);
export type ClientInput = z.infer<typeof ClientInput>;

/** A client as the API shows it: RFC 7591 members and ours, flat as in the input. */
export const ClientView = z.looseObject({
  client_id: z.string(),
  type: z.enum(types),
  registered_by: z.enum(registrars).meta({
    description:
      'operator: in the admin API, the console or configuration; document: read from its client ID metadata document; dynamic: by dynamic registration; trust: by a trusted issuer. For clients that no operator registered, only enabled and lifetimes can be changed',
  }),
  trust_id: z.uuid().nullable().meta({ description: 'the trust that registered it, and that defines its permissions' }),
  allowed_cors_origins: CorsOrigins.optional(),
  ...clientExtensions,
  tokens_valid_after: Timestamp.nullable(),
  last_used_at: Timestamp.nullable().meta({
    description: 'when it last got a token; a few minutes late, and null: never, or longer than 400 days ago',
  }),
  version: z.int(),
  created_at: Timestamp,
  updated_at: Timestamp,
});

const once = { description: 'shown once; only a digest is stored' };
export const CreatedClientView = ClientView.extend({ client_secret: z.string().optional().meta(once) });

export const ClientParams = z.strictObject({ client_id: z.string().regex(clientIdShape) });
export const ClientsQuery = z.strictObject({
  ...PageQuery,
  q: z.string().max(100).optional().meta({ description: 'the words, or their beginnings, of the client_id or name' }),
  type: z.enum(types).optional(),
  registered_by: z.enum(registrars).optional(),
  enabled: Flag.optional(),
  sort: SortBy(['client_id', 'name', 'type', 'created_at', 'last_used_at'], 'client_id'),
});

const longestDays = 3660;
export const SecretInput = z.strictObject({
  label: ShownText(100).optional(),
  expires_in_days: z
    .int()
    .min(1)
    .max(longestDays)
    .optional()
    .meta({ description: 'left out: the default for the risk of the client; never, if it has none' }),
});
export const RotationInput = SecretInput.extend({
  overlap_seconds: z
    .int()
    .min(0)
    .max(30 * 86_400)
    .default(86_400)
    .meta({ description: 'how long the previous secrets are still accepted' }),
});
export const SecretParams = ClientParams.extend({ secret_id: z.uuid() });
const numbered = {
  number: z.int().meta({ description: 'the number of the secret, counted from 1' }),
  last_four: z.string().nullable().meta({ description: 'the last four characters; null: it was not generated here' }),
};
export const SecretView = z.object({
  id: z.uuid(),
  ...numbered,
  label: z.string().nullable(),
  created_at: Timestamp,
  last_used_at: Timestamp.nullable().meta({ description: 'updated at most a second late' }),
  expires_at: Timestamp.nullable(),
  revoked_at: Timestamp.nullable(),
});
export const MadeSecretView = z.object({
  id: z.uuid(),
  ...numbered,
  client_secret: z.string().meta(once),
  expires_at: Timestamp.nullable(),
});
export const RotatedSecretView = MadeSecretView.extend(previousExpiry('previous_end_at'));
