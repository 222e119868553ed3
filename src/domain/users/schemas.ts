import { z } from 'zod';
import { Flag, PageQuery, SecretText, ShownText, Timestamp } from '../../platform/http/index.ts';
import { Language } from '../../platform/languages/index.ts';
import { SortBy } from '../../platform/lists/index.ts';
import { Owner, UserReferenceText } from '../access/index.ts';
import { hashProblem } from './hash-formats.ts';

// Without "@" and ":", so that no username is an e-mail address or has the prefix of an id; one that looks like an id is refused
// when a user is created (`refuseIdShaped`), so that a configuration file can still describe an earlier user.
// In an address, names of one or two dots are folders (RFC 3986 §5.2.4).
const Username = z
  .string()
  .regex(/^[A-Za-z0-9._-]{1,64}$/, 'must be 1 to 64 letters, digits, ".", "_" or "-"')
  .regex(/[^.]/, 'must not be of dots alone');

/** An e-mail address. */
export const EmailAddress = z.email('must be an e-mail address').max(254);

/** The domain of an address, in lower case. */
export const domainOf = (email: string): string => email.slice(email.lastIndexOf('@') + 1).toLowerCase();

/** A hash from another system, with a cost within bounds. */
const ImportedHash = SecretText.superRefine((hash, issues) => {
  const problem = hashProblem(hash);
  if (problem) issues.addIssue({ code: 'custom', message: problem });
});

/** A user as input of configuration, the CLI and the setup page. */
export const UserInput = z.strictObject({
  username: Username,
  email: EmailAddress.optional(),
  email_verified: z.boolean().optional().meta({
    description:
      'whether the address was verified; omitted: unchanged, or false for a new address. Setting it to true through the API needs latchkey:user:verify_email',
  }),
  name: ShownText(100).optional(),
  password: SecretText.optional(),
  password_hash: ImportedHash.optional(),
  roles: z.array(z.string().min(1).max(64)).max(100).optional(),
  enabled: z.boolean().default(true),
});
export type UserInput = z.infer<typeof UserInput>;
export type PasswordInput = { user_id: string; password: string };

const MailLanguage = Language.nullable().optional().meta({
  description: 'the language of e-mail to the user; null: that of the last sign-in, else the installation’s',
});

export const NewUser = UserInput.extend({
  password_hash: ImportedHash.optional().meta({
    description:
      'instead of `password`: a hash of argon2, bcrypt, scrypt or pbkdf2 from another system; needs latchkey:user:import_password',
  }),
  language: MailLanguage,
  password: SecretText.optional().meta({ description: 'omitted without `invite`: one is generated and shown once' }),
  invite: z.boolean().default(false).meta({ description: 'e-mail, or return, a one-time link to choose a password' }),
});

export const UserChanges = z.strictObject({
  email: EmailAddress.nullable().optional(),
  name: UserInput.shape.name.unwrap().nullable().optional(),
  language: MailLanguage,
  enabled: z.boolean().optional(),
});
export type UserChanges = z.infer<typeof UserChanges>;

/** Includes the address, so that a change of it in between is noticed. */
export const EmailVerification = z.strictObject({
  email: EmailAddress.meta({ description: 'the address that you verified; it must be their current one' }),
});

export const UserView = z.object({
  id: z.uuid(),
  username: z.string(),
  email: z.string().nullable(),
  email_verified: z.boolean(),
  email_verified_by: z.enum(['link', 'administrator', 'import', 'provider']).nullable().meta({
    description:
      'how the address was verified: by a link in an e-mail, by an administrator, on import, or by an identity provider that is authoritative for its domain',
  }),
  email_verified_at: Timestamp.nullable(),
  name: z.string().nullable(),
  language: z
    .string()
    .nullable()
    .meta({ description: 'the chosen language of e-mail to the user; null: none is chosen' }),
  enabled: z.boolean(),
  roles: z.array(z.string()),
  has_password: z.boolean(),
  tokens_valid_after: Timestamp.nullable(),
  version: z.int(),
  created_at: Timestamp,
  updated_at: Timestamp,
});
const RefusedSignInView = z.object({
  since: Timestamp,
  prepared_by: z
    .array(z.object({ subject: Owner.nullable(), prepared_at: Timestamp }))
    .meta({ description: 'who could sign in as the user, and lacks permissions of theirs; null: deleted since' }),
  remove_methods_first: z.boolean().meta({
    description:
      'whether sign-in methods or linked accounts were added since, which may be of those: reset and unlink them before the user chooses a password',
  }),
  mailed_link: z.boolean().meta({
    description:
      'whether the user can request a link with “Forgot your password?”; otherwise a user with all of their permissions creates one with `/password-link`',
  }),
});
/** One user, with members that take further queries. */
export const UserDetailView = UserView.extend({
  sign_in_refused: RefusedSignInView.nullable().meta({
    description:
      'set while every sign-in of the user is refused, because others who lack permissions of theirs prepared the account',
  }),
});
export const EnrolmentLinkView = z.object({ url: z.string(), expires_at: Timestamp });
export const FactorView = z.object({
  id: z.uuid(),
  kind: z.enum(['password', 'passkey', 'totp', 'recovery_code']).meta({
    description: 'the sign-in method; totp: one-time codes of an authenticator app',
  }),
  name: z.string().nullable().meta({ description: 'the user’s name for a passkey' }),
  last_used_at: Timestamp.nullable().meta({ description: 'null: unknown or never' }),
  created_at: Timestamp,
  updated_at: Timestamp.meta({ description: 'when it was last changed' }),
});
export const FactorsResetView = z.object({
  removed: z
    .int()
    .meta({ description: 'the number of passkeys, authenticator apps and recovery codes that were removed' }),
});
export const PasswordLinkView = z.object({
  url: z.url().optional().meta({ description: 'shown once, for the user alone; omitted if it was e-mailed' }),
  mailed_to: z.string().optional().meta({ description: 'the address that it was e-mailed to' }),
  expires_at: Timestamp,
});
export const CreatedUserView = UserView.extend({
  invitation: PasswordLinkView.optional(),
  password: z.string().optional().meta({ description: 'shown once; only a digest is stored' }),
});
export const UserParams = z.strictObject({
  user: UserReferenceText,
});
export const UsersQuery = z.strictObject({
  ...PageQuery,
  q: z
    .string()
    .max(100)
    .optional()
    .meta({ description: 'the words, or their beginnings, of the username, name or e-mail address' }),
  enabled: Flag.optional(),
  role: z.string().max(64).optional(),
  sort: SortBy(['username', 'name', 'email', 'created_at'], 'username'),
});
export const PasswordReset = z.strictObject({
  password: SecretText.optional().meta({ description: 'omitted: one is generated and shown once' }),
});
export const PasswordResetView = z.object({ password: z.string().optional() });
