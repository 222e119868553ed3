import { z } from 'zod';
import { mostCharactersOfSecrets } from '../../domain/access/index.ts';
import { keyCodeKinds, keyCodes, PermissionQuerySchema, type VerdictKind } from '../../domain/api-keys/index.ts';
import { isAssurance } from '../../domain/assurance/index.ts';
import { canonicalAddress } from '../../platform/http/index.ts';

const mostInBatch = 100;
const mostCost = 1_000_000;
const mostParameters = 20;

/** The codes of verdicts: a closed list, described in docs/gateway.md. */
export const verdictCodes = [
  ...keyCodes,
  'proof_required',
  'invalid_proof',
  'certificate_mismatch',
  'insufficient_user_authentication',
] as const;
export type VerdictCode = (typeof verdictCodes)[number];

export const verdictKinds: Readonly<Record<VerdictCode, VerdictKind>> = {
  ...keyCodeKinds,
  proof_required: 'dead',
  invalid_proof: 'dead',
  certificate_mismatch: 'dead',
  insufficient_user_authentication: 'refused',
};

/** The required authentication of the request's user (RFC 9470 §4): classes, any of which is enough, and an age in seconds. */
export const AcrValues = z
  .string()
  .max(200)
  .refine((text) => text.split(' ').every(isAssurance), 'must be acr values of Latchkey, separated by single spaces');
const longestAge = 100_000_000;
export const MaxAge = z
  .int('must be a whole number of seconds')
  .min(1, 'must be at least 1')
  .max(longestAge, `must be at most ${longestAge}`);

const isAddress = (text: string) => canonicalAddress(text) !== undefined;
const Values = z.union([z.string().max(1000), z.array(z.string().max(1000)).min(1).max(100)]);

const DescribedRequest = z
  .strictObject({
    key: z.string().max(16_384).optional().meta({ description: 'an API key' }),
    token: z.string().max(16_384).optional().meta({ description: 'an access token, opaque or JWT' }),
    permission: z
      .string()
      .min(1)
      .max(mostCharactersOfSecrets)
      .optional()
      .meta({ examples: ['database:read:products'] }),
    permissions: PermissionQuerySchema.optional(),
    resource: z.string().min(1).max(512).optional().meta({ description: 'the API’s identifier' }),
    ip: z
      .string()
      .refine(isAddress, 'must be an IPv4 or IPv6 address, without port, brackets or zone')
      .optional()
      .meta({ description: 'the address that the request came from' }),
    origin: z.string().max(300).optional().meta({ description: 'its `Origin` header' }),
    cost: z.int().min(0).max(mostCost).default(1).meta({ description: 'the amount to count against its limits' }),
    parameters: z
      .record(z.string().min(1).max(64), Values)
      .refine((named) => Object.keys(named).length <= mostParameters, `must name at most ${mostParameters}`)
      .optional(),
    acr_values: AcrValues.optional().meta({ description: 'how its user must have authenticated' }),
    max_age: MaxAge.optional().meta({ description: 'the maximum number of seconds since its user authenticated' }),
    method: z.string().max(32).optional().meta({ description: 'with a DPoP proof: the method of the request' }),
    url: z.string().max(4096).optional().meta({ description: 'with a DPoP proof: the URL of the request' }),
    proof: z.string().max(8192).optional().meta({ description: 'its `DPoP` header' }),
    certificate_thumbprint: z
      .string()
      .max(64)
      .optional()
      .meta({ description: 'the thumbprint of the client’s certificate' }),
  })
  .refine(({ key, token }) => (key === undefined) !== (token === undefined), {
    path: ['key'],
    error: 'send either a key or a token',
  });

/** A request to an API, with its credential; compiled to code, because it is parsed all the time. */
export const VerifyRequest = z.compile(DescribedRequest, { strict: true });
export type VerifyRequest = z.output<typeof VerifyRequest>;

export const VerifyBatch = z.strictObject({ requests: z.array(VerifyRequest).min(1).max(mostInBatch) });

/** The verdict on a request, and the owner of its credential; times become RFC 3339 text. */
export type Verdict = {
  valid: boolean;
  code: VerdictCode;
  reason: string;
  credential: 'api_key' | 'access_token';
  /** As in `sub` of tokens: a user's id, or a `client_id`. */
  subject?: string;
  subject_kind?: 'user' | 'client';
  client_id?: string;
  key_id?: string;
  name?: string;
  environment?: string;
  permissions?: string[];
  missing?: string[];
  expires_at?: Date | null;
  /** For an access token: how its user authenticated, and when, in seconds since 1970. */
  acr?: string;
  auth_time?: number;
  limits: { name: string; limit: number; remaining: number; resets_at: Date }[];
  retry_after_seconds?: number;
};
