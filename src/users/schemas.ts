import { z } from 'zod';

// Without "@", so that no username is another person's e-mail address.
const Username = z.string().regex(/^[A-Za-z0-9._-]{1,64}$/, 'must be 1 to 64 letters, digits, ".", "_" or "-"');
const printable = /^\P{Cc}*$/u;

/** A person as configuration, the CLI and the setup page name them. */
export const UserInput = z.strictObject({
  username: Username,
  email: z.email('must be an e-mail address').max(254).optional(),
  name: z.string().min(1).max(100).regex(printable, 'must not contain control characters').optional(),
  password: z.string().optional(),
  password_hash: z
    .string()
    .regex(
      /^\$argon2id\$v=19\$m=\d+,t=\d+,p=\d+\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+$/,
      'must be an Argon2id hash in PHC format',
    )
    .optional(),
  roles: z.array(z.string().min(1).max(64)).optional(),
  enabled: z.boolean().default(true),
});
export type UserInput = z.infer<typeof UserInput>;
export type PasswordInput = { user_id: string; password: string };
