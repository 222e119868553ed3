import { z } from 'zod';
import { ShownText } from '../../platform/http/index.ts';

const mostValues = 50;

export const ConditionText = ShownText(512);

// RFC 7519 §4.1: these claims are checked for every token, whatever the conditions.
const checkedAnyway = new Set(['iss', 'aud', 'exp', 'nbf', 'iat', 'jti']);
const ClaimName = ShownText(256)
  .refine((claim) => !checkedAnyway.has(claim), 'is checked for every token: name another claim')
  .refine((claim) => !claim.startsWith('/') || !/~(?![01])/.test(claim), 'must be a JSON pointer: write "~" as "~0"')
  .meta({
    description: 'its name, or a JSON pointer to a nested claim, such as /kubernetes.io/namespace',
    examples: ['sub'],
  });

// A pattern as other products write it would match no token.
const Value = ConditionText.refine(
  (value) => !value.endsWith('*'),
  'is compared exactly, also "*": use prefix for what begins with it',
);

const equals = { claim: ClaimName, equals: Value };
const oneOf = { claim: ClaimName, one_of: z.array(Value).min(1).max(mostValues) };
const begins = {
  claim: ClaimName,
  prefix: Value.meta({ description: 'the beginning of the claim, up to the end of a segment: ":" or "/"' }),
};

const conditions = [z.strictObject(equals), z.strictObject(oneOf), z.strictObject(begins)] as const;

/** The required value of a claim. */
export const Condition = z.union(conditions, { error: 'must be a claim with one of equals, one_of and prefix' });

/** The same in responses: unchanged if a newer version wrote it while nodes of both run. */
export const ConditionView = z.union([...conditions, z.looseObject({ claim: z.string() })]);

const role = z
  .string()
  .min(1)
  .max(64)
  .meta({ description: 'a role that you may assign', examples: ['reader'] });

const mappings = [
  z.strictObject({ ...equals, role }),
  z.strictObject({ ...oneOf, role }),
  z.strictObject({ ...begins, role }),
] as const;

/** The role of users whose claim meets a condition; for a list, one matching member is enough. */
export const RoleMappingInput = z.union(mappings, {
  error: 'must be a claim with one of equals, one_of and prefix, and a role',
});
export type RoleMappingInput = z.infer<typeof RoleMappingInput>;

/** The same in responses. */
export const RoleMappingView = z.union([...mappings, z.looseObject({ claim: z.string(), role: z.string() })]);
