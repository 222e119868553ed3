import { z } from 'zod';
import { Timestamp } from '../../platform/http/index.ts';
import { signingAlgs } from './signing-key.ts';

const day = 86_400;

export const SigningKeyView = z.object({
  kid: z.string(),
  alg: z.string(),
  state: z.enum(['pending', 'active', 'retiring', 'retired']),
  created_at: Timestamp,
  signs_from: Timestamp,
  retires_at: Timestamp.nullable(),
});
/** Includes the expiry of the older keys of the algorithm. */
export const RotatedSigningKeyView = SigningKeyView.extend({ previous_expires_at: Timestamp });
export const RotationInput = z.strictObject({
  alg: z.enum(signingAlgs).default('ES256'),
  activation_seconds: z
    .int()
    .min(0)
    .max(30 * day)
    .optional()
    .meta({ description: 'how long it is published before it signs; omitted: the server’s setting' }),
  leaked: z.boolean().default(false).meta({
    description:
      'the new key signs at once, and the older ones are no longer published: tokens that they signed are refused',
  }),
});
