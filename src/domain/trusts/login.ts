import { z } from 'zod';
import type { LoginSettings } from '../../../db/schema.ts';
import { type Actor, invalid, isSeen, notSeen, SecretText, ShownText } from '../../platform/http/index.ts';
import { mustBePermitted } from '../access/index.ts';
import { RoleMappingInput, RoleMappingView } from './condition-schemas.ts';
import type { Trust } from './store.ts';

const mostScopes = 20;
const mostMappings = 100;
const mostRoleDays = 365;
// The view of active role assignments uses it, too.
export const usualRoleDays = 7;
const mostDomains = 100;
const longestSecret = 4096;

export const providers = [
  'oidc',
  'google',
  'microsoft',
  'github',
] as const satisfies readonly LoginSettings['provider'][];
/** Each policy creates accounts for more users than the one before it. */
export const creationPolicies = ['off', 'domains', 'open'] as const satisfies readonly LoginSettings['creation'][];

const Domain = z
  .string()
  .max(253)
  .regex(
    /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+$/,
    'must be a domain in lower case, such as example.com',
  );
// RFC 6749 §3.3
const Scope = z.string().regex(/^[\u0021\u0023-\u005b\u005d-\u007e]{1,128}$/, 'must be a scope');

const settings = {
  provider: z
    .enum(providers)
    .default('oidc')
    .meta({ description: 'the provider whose rules apply; oidc: any OpenID provider' }),
  client_id: ShownText(512).meta({ description: 'the client_id of this installation at the provider' }),
  scopes: z.array(Scope).max(mostScopes).optional().meta({
    description: 'left out: openid, email and profile; for GitHub read:user and user:email',
  }),
  label: ShownText(40).optional().meta({ description: 'the name of the provider on the button of the sign-in page' }),
  email_domains: z.array(Domain).max(mostDomains).default([]).meta({
    description:
      'domains of e-mail addresses for which the provider is authoritative: their users are redirected to it, and an address that it verified counts as verified',
  }),
  creation: z.enum(creationPolicies).default('off').meta({
    description:
      'who gets an account at the first sign-in: off: no one; domains: users with a verified address in one of email_domains; open: everyone who meets the conditions',
  }),
  for_administrators: z.boolean().default(false).meta({
    description: 'whether users who hold permissions of Latchkey or of secrets may sign in with it',
  }),
  role_mappings: z.array(RoleMappingInput).max(mostMappings).default([]).meta({
    description:
      'the roles that users have by their claims, as of their last sign-in with it; needs latchkey:role:assign and the permissions of the roles',
  }),
  mapped_role_days: z.int().min(1).max(mostRoleDays).default(usualRoleDays).meta({
    description:
      'for how many days after a sign-in with it these roles are active; a shorter time applies at once, a longer one from the next sign-in',
  }),
};

/** How users sign in with an identity provider, without the secret and without members that only a newer version knows. */
export const LoginView = z.object({ ...settings, role_mappings: z.array(RoleMappingView).default([]) });

export const LoginInput = z.strictObject({
  ...settings,
  client_secret: SecretText.min(1).max(longestSecret).refine(isSeen, notSeen).optional().meta({
    description:
      'the client secret of this installation at the provider; never shown. Left out: unchanged, or none (PKCE alone)',
  }),
});
export type LoginInput = z.infer<typeof LoginInput>;

/** The members of a trust that have no meaning for sign-ins. */
const ofTokens = ['audience', 'jwks', 'jwks_uri', 'access_token_ttl_seconds'] as const;

type LoginTrust = {
  kind: Trust['kind'];
  issuer: string;
  login?: LoginInput | undefined;
  permissions: Record<string, unknown>;
} & Partial<Record<(typeof ofTokens)[number], unknown>>;

/** Microsoft's issuers for many tenants, each of which has its own issuer. */
const manyTenants = /^https:\/\/login\.microsoftonline\.com\/(common|organizations|consumers)\//;

/**
 * Checks the sign-in settings of a trust.
 *
 * @throws Problem `invalid`: it contradicts itself, or would accept every tenant of a provider
 */
export function mustDescribeLogin(input: LoginTrust): void {
  const { kind, issuer, login } = input;
  if (kind !== 'login') {
    if (login) throw invalid('/login', 'Leave it out: only trusts of the kind "login" have it.');
    return;
  }
  if (!login) throw invalid('/login', 'State how users sign in: at least client_id.');
  const stray = ofTokens.find((member) => input[member] !== undefined);
  if (stray) throw invalid(`/${stray}`, 'Leave it out: users sign in, and no token of the issuer is accepted.');
  if (Object.keys(input.permissions).length > 0)
    throw invalid('/permissions', 'Leave it out: users have the permissions of their roles.');
  if (login.provider === 'google' && issuer !== 'https://accounts.google.com')
    throw invalid('/issuer', 'The issuer of Google is https://accounts.google.com.');
  if (manyTenants.test(issuer))
    throw invalid('/issuer', 'Use the issuer of one tenant: https://login.microsoftonline.com/{tenant id}/v2.0.');
  if (login.creation === 'domains' && login.email_domains.length === 0)
    throw invalid('/login/email_domains', 'Name the domains whose addresses get an account.');
}

const permission = 'latchkey:trust:login';

/**
 * Guards trusts by which users sign in: the author of one can sign in as users who connect an account there. So it needs a permission of
 * its own, in addition to those to create accounts and to mark addresses as verified if the trust does that.
 *
 * @throws Problem `forbidden` naming the permission
 */
export function mustBeAllowedToLetIn(actor: Actor, login: Pick<LoginInput, 'creation' | 'email_domains'>): void {
  mustBePermitted(actor, permission, 'Letting users sign in with an identity provider');
  if (login.creation !== 'off') mustBePermitted(actor, 'latchkey:user:write', 'Creating accounts of new users');
  if (login.email_domains.length === 0) return;
  mustBePermitted(actor, 'latchkey:user:verify_email', 'Naming domains of verified e-mail addresses');
  mustBePermitted(actor, 'latchkey:user:link', 'Naming domains whose accounts are linked');
}
