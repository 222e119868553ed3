import { z } from 'zod';
import { canVerify, publicKeyProblem } from '../../platform/crypto/index.ts';
import { Flag, isSeen, notSeen, PageQuery, SecretText, ShownText, Timestamp } from '../../platform/http/index.ts';
import { SortBy } from '../../platform/lists/index.ts';
import { RoleName } from '../access/index.ts';
import { assertionAlgorithms } from './assertion.ts';
import { Condition, ConditionText, ConditionView } from './condition-schemas.ts';
import { kinds } from './kinds.ts';
import { LoginInput, LoginView } from './login.ts';

const mostConditions = 20;
const mostKeys = 20;
const mostResources = 100;
const mostScopes = 500;
const mostRoles = 50;
const longestAssertion = 16 * 1024;

const publicMembers = ['kty', 'crv', 'x', 'y', 'n', 'e', 'kid', 'use', 'alg', 'key_ops', 'x5t', 'x5c', 'x5t#S256'];

const Key = z
  .looseObject({ kty: z.enum(['RSA', 'EC', 'OKP']), kid: ShownText(256).optional() })
  .refine((key) => Object.keys(key).every((member) => publicMembers.includes(member)), 'must be a public key only')
  .superRefine((key, { addIssue }) => {
    const message = publicKeyProblem(key);
    if (message) addIssue({ code: 'custom', message });
  });
const Jwks = z
  .strictObject({ keys: z.array(Key).min(1).max(mostKeys) })
  .refine(
    ({ keys }) => canVerify(keys, assertionAlgorithms),
    `must have a key for signatures with one of ${assertionAlgorithms.join(', ')}`,
  );

const WebAddress = z
  .url({ protocol: /^https?$/ })
  .max(512)
  .refine(isSeen, notSeen);

// A self-signed certificate and those of its issuers.
const longestCertificates = 32 * 1024;
const longestReviewerToken = 16 * 1024;

const reviewSettings = {
  url: WebAddress.meta({ description: 'the API server of the cluster', examples: ['https://10.96.0.1'] }),
  ca: z
    .string()
    .max(longestCertificates)
    .regex(/^\s*-----BEGIN CERTIFICATE-----/, 'must be certificates in PEM')
    .optional()
    .meta({
      description: 'the certificate authorities of its certificate, in PEM; left out: the built-in ones of Node.js',
    }),
};

const TokenReviewInput = z.strictObject({
  ...reviewSettings,
  token: SecretText.min(1).max(longestReviewerToken).refine(isSeen, notSeen).optional().meta({
    description:
      'the token of a service account that may review tokens; never shown. Left out: unchanged if the other members are, otherwise none: each token is sent as its own credential',
  }),
});

const scopesPerResource = z
  .record(z.url().refine(isSeen, notSeen), z.array(ShownText(256)).min(1).max(mostScopes))
  .refine((named) => Object.keys(named).length <= mostResources, `must name at most ${mostResources} resource servers`);

/** A trust in the form of a configuration file. */
export const TrustInput = z.strictObject({
  name: ShownText(100),
  kind: z.enum(kinds).default('workload').meta({
    description:
      'workload: programs that act for themselves; id_jag: clients that present identity assertions (ID-JAG) about users; login: users, who sign in with this identity provider',
  }),
  issuer: ConditionText.regex(/^[\u0021-\u007e]+$/, 'must be printable ASCII characters without spaces').meta({
    description: 'the `iss` of its tokens, compared exactly',
    examples: ['https://token.actions.githubusercontent.com'],
  }),
  audience: ConditionText.optional().meta({
    description: 'the only `aud` of its tokens; left out: the issuer of this installation',
  }),
  jwks_uri: WebAddress.optional().meta({
    description: 'the URL of its keys; without this and jwks they are found by discovery',
  }),
  jwks: Jwks.optional().meta({ description: 'its public keys, for an issuer that cannot be reached' }),
  conditions: z
    .array(Condition)
    .max(mostConditions)
    .default([])
    .meta({ description: 'conditions on the claims; all of them must be met' }),
  permissions: scopesPerResource.default({}).meta({
    description: 'the scopes that a workload may have for itself, or a client for a user at most, per resource server',
  }),
  access_token_ttl_seconds: z.int().min(60).max(86_400).optional().meta({
    description: 'the maximum lifetime of the access tokens issued under it',
  }),
  one_time: z.boolean().default(false).meta({
    description: 'each token is accepted once, by its `jti`',
  }),
  most_workloads: z.int().min(1).max(10_000).default(1000).meta({
    description: 'the maximum number of workloads that it registers as clients',
  }),
  roles: z.array(RoleName).max(mostRoles).default([]).meta({
    description: 'roles of its workloads; you must hold their permissions',
  }),
  token_review: TokenReviewInput.optional().meta({
    description:
      'the Kubernetes API server that reviews each token (TokenReview); without keys of the issuer it also verifies the signature',
  }),
  login: LoginInput.optional().meta({ description: 'for the kind login: how users sign in' }),
  enabled: z.boolean().default(true),
});
export type TrustInput = z.infer<typeof TrustInput>;

export const TrustView = TrustInput.extend({
  conditions: z.array(ConditionView),
  login: LoginView.optional(),
  token_review: z.object(reviewSettings).optional(),
  id: z.uuid(),
  version: z.int(),
  created_at: Timestamp,
  updated_at: Timestamp,
});
export type TrustView = z.infer<typeof TrustView>;

export const TrustParams = z.strictObject({ trust_id: z.uuid() });
export const TrustsQuery = z.strictObject({
  ...PageQuery,
  q: z.string().max(100).optional().meta({ description: 'the words, or their beginnings, of the name or issuer' }),
  kind: z.enum(kinds).optional(),
  enabled: Flag.optional(),
  sort: SortBy(['name', 'issuer', 'created_at'], 'name'),
});

export const WorkloadsQuery = z.strictObject({ ...PageQuery, sort: SortBy(['created_at'], '-created_at') });
export const WorkloadParams = z.strictObject({ trust_id: z.uuid(), client_id: z.string().max(100) });
export const WorkloadView = z.object({
  client_id: z.string(),
  subject: z.string().meta({ description: 'the `sub` of its tokens' }),
  enabled: z.boolean(),
  created_at: Timestamp,
});

export const ExplanationInput = z.strictObject({
  assertion: z
    .string()
    .min(1)
    .max(longestAssertion)
    .meta({
      description: `a JWT of the issuer; it is checked, not used (signed with ${assertionAlgorithms.join(', ')})`,
    }),
});
export const ExplanationView = z.object({
  accepted: z.boolean(),
  checks: z.array(
    z.object({
      check: z.string().meta({ description: 'what is checked: `signature`, `audience`, `condition` and so on' }),
      passed: z.boolean().nullable().meta({ description: 'null: an earlier check must pass first' }),
      detail: z.string(),
    }),
  ),
  client_id: z.string().nullable().meta({
    description:
      'the client of the workload, registered or not yet; or the client that must present an identity assertion',
  }),
  user: z.string().nullable().meta({ description: 'the username that an identity assertion is about' }),
  is_registered: z.boolean().meta({ description: 'whether the workload is registered already' }),
});
