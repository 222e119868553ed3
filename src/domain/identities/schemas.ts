import { z } from 'zod';
import { ShownText, Timestamp } from '../../platform/http/index.ts';
import { UserReferenceText } from '../access/index.ts';

export const IdentityInput = z.strictObject({
  issuer: ShownText(512)
    .regex(/^[\u0021-\u007e]+$/, 'must be printable ASCII characters without spaces')
    .meta({ description: 'the `iss` of its tokens, compared exactly', examples: ['https://idp.example.com'] }),
  subject: ShownText(512).meta({ description: 'the `sub` of the account there, compared exactly' }),
});

export const IdentityView = IdentityInput.extend({ id: z.uuid(), created_at: Timestamp });
export type IdentityView = z.infer<typeof IdentityView>;

export const UserParams = z.strictObject({ user: UserReferenceText });
export const IdentityParams = z.strictObject({ user: UserReferenceText, identity_id: z.uuid() });
