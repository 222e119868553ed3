import { z } from 'zod';
import { inTransaction } from '../../platform/database/index.ts';
import { type Actor, pageOf, routesWith } from '../../platform/http/index.ts';
import { listRoleNames } from '../access/index.ts';
import { unverifyEmail, verifyEmail, verifyEmailPermission } from './email-verification.ts';
import { resetFactors } from './factors/enrolment.ts';
import { createEnrolmentLink, enrolmentPermission } from './factors/enrolment-links.ts';
import { asPolicyInput, changeSignInPolicy, SignInPolicyChanges, SignInPolicyView } from './factors/policy.ts';
import { findSignInPolicy } from './factors/policy-store.ts';
import { generatePassword } from './password.ts';
import { setPassword } from './password-changes.ts';
import { createPasswordLink, type LinkMakingDeps } from './password-links.ts';
import { hasPassword } from './password-store.ts';
import type { UserDeps } from './profiles.ts';
import { findRefusedSignIn } from './refused-sign-in.ts';
import {
  CreatedUserView,
  EmailVerification,
  EnrolmentLinkView,
  FactorsResetView,
  FactorView,
  NewUser,
  PasswordLinkView,
  PasswordReset,
  PasswordResetView,
  UserChanges,
  UserDetailView,
  type UserInput,
  UserParams,
  UsersQuery,
  UserView,
} from './schemas.ts';
import { listFactors, listUsersFrom, type User } from './store.ts';
import { changeUser, createUser, disableUser, getUser } from './users.ts';

type UserRouteDeps = UserDeps & LinkMakingDeps;

const route = routesWith<UserRouteDeps>();

const accounts = [
  route({
    method: 'GET',
    path: '/users',
    summary: 'List users',
    permission: 'latchkey:user:read',
    query: UsersQuery,
    response: pageOf(UserView),
    handle: ({ query }, deps) => listUsersFrom(deps.db, { ...query, now: deps.now() }),
  }),
  route({
    method: 'POST',
    path: '/users',
    summary: 'Create a user; their roles cannot grant a permission that you do not hold',
    permission: 'latchkey:user:write',
    body: NewUser,
    response: CreatedUserView,
    status: 201,
    handle: async ({ actor, body: { invite, ...body } }, deps) => {
      if (invite) return invited(deps, actor, body);
      const isGiven = body.password !== undefined || body.password_hash !== undefined;
      const made = isGiven ? undefined : generatePassword();
      const user = await createUser(deps, actor, { ...body, password: body.password ?? made });
      return { ...(await shown(deps, user)), password: made };
    },
  }),
  route({
    method: 'GET',
    path: '/users/{user}',
    summary: 'Get a user',
    permission: 'latchkey:user:read',
    params: UserParams,
    response: UserDetailView,
    handle: async ({ params }, deps) => {
      const user = await getUser(deps.db, params.user);
      return { ...(await shown(deps, user)), sign_in_refused: await findRefusedSignIn(deps, user) };
    },
  }),
  route({
    method: 'GET',
    path: '/users/{user}/factors',
    summary: 'List the sign-in methods of a user',
    permission: 'latchkey:user:read',
    params: UserParams,
    response: z.object({ items: z.array(FactorView) }),
    handle: async ({ params }, deps) => ({
      items: await listFactors(deps.db, (await getUser(deps.db, params.user)).id),
    }),
  }),
  route({
    method: 'PATCH',
    path: '/users/{user}',
    summary: 'Update or enable a user; you must hold all of their permissions',
    permission: 'latchkey:user:write',
    params: UserParams,
    body: UserChanges,
    response: UserView,
    handle: async ({ actor, params, body, ifVersion }, deps) => {
      const { id } = await getUser(deps.db, params.user);
      return shown(deps, await changeUser(deps, actor, { id, ...body, ifVersion }));
    },
  }),
  route({
    method: 'POST',
    path: '/users/{user}/disable',
    summary: 'Disable a user: they are signed out everywhere, and all their tokens are refused from now on',
    permission: 'latchkey:user:disable',
    params: UserParams,
    response: UserView,
    handle: async ({ actor, params }, deps) => {
      const { id } = await getUser(deps.db, params.user);
      return shown(deps, await disableUser(deps, actor, id));
    },
  }),
  route({
    method: 'POST',
    path: '/users/{user}/password',
    summary: 'Set the password of a user and sign them out everywhere; you must hold all of their permissions',
    permission: 'latchkey:user:reset_password',
    params: UserParams,
    body: PasswordReset,
    response: PasswordResetView,
    handle: async ({ actor, params, body }, deps) => {
      const { id } = await getUser(deps.db, params.user);
      const made = body.password === undefined ? generatePassword() : undefined;
      await setPassword(deps, actor, { id, password: body.password ?? made ?? '' });
      return { password: made };
    },
  }),
  route({
    method: 'POST',
    path: '/users/{user}/password-link',
    summary:
      'Create a one-time link for a user to choose a password, and e-mail it if possible; you must hold all of their permissions',
    permission: 'latchkey:user:reset_password',
    params: UserParams,
    response: PasswordLinkView,
    status: 201,
    handle: async ({ actor, params }, deps) =>
      createPasswordLink(deps, actor, (await getUser(deps.db, params.user)).id),
  }),
];

const resets = [
  route({
    method: 'POST',
    path: '/users/{user}/reset-factors',
    summary:
      'Remove the passkeys, authenticator app and recovery codes of a user, and sign them out everywhere; you must hold all of their permissions',
    permission: 'latchkey:user:reset_factors',
    params: UserParams,
    response: FactorsResetView,
    handle: async ({ actor, params }, deps) => resetFactors(deps, actor, (await getUser(deps.db, params.user)).id),
  }),
];

const policies = [
  route({
    method: 'GET',
    path: '/sign-in-policy',
    summary: 'Get the sign-in policy: how users must sign in',
    permission: 'latchkey:sign_in_policy:read',
    response: SignInPolicyView,
    handle: async (_, { db }) => policyView(await findSignInPolicy(db)),
  }),
  route({
    method: 'PATCH',
    path: '/sign-in-policy',
    summary: 'Update the sign-in policy: how users must sign in; you need a second factor yourself',
    permission: 'latchkey:sign_in_policy:write',
    body: SignInPolicyChanges,
    response: SignInPolicyView,
    handle: async ({ actor, body, ifVersion }, deps) =>
      policyView(await changeSignInPolicy(deps, actor, { patch: body, ifVersion })),
  }),
  route({
    method: 'POST',
    path: '/users/{user}/enrolment-link',
    summary:
      'Create a one-time link for a user to add their first second factor; you need one yourself, and all of their permissions',
    permission: enrolmentPermission,
    params: UserParams,
    response: EnrolmentLinkView,
    status: 201,
    handle: async ({ actor, params }, deps) =>
      createEnrolmentLink(deps, actor, (await getUser(deps.db, params.user)).id),
  }),
];

const verifications = [
  route({
    method: 'POST',
    path: '/users/{user}/verify-email',
    summary: 'Mark the e-mail address of a user as verified; you must hold all of their permissions',
    permission: verifyEmailPermission,
    params: UserParams,
    body: EmailVerification,
    response: UserView,
    handle: async ({ actor, params, body: { email } }, deps) => {
      const { id } = await getUser(deps.db, params.user);
      return shown(deps, await verifyEmail(deps, actor, { id, email }));
    },
  }),
  route({
    method: 'POST',
    path: '/users/{user}/unverify-email',
    summary: 'Mark the e-mail address of a user as not verified; you must hold all of their permissions',
    permission: verifyEmailPermission,
    params: UserParams,
    response: UserView,
    handle: async ({ actor, params }, deps) =>
      shown(deps, await unverifyEmail(deps, actor, (await getUser(deps.db, params.user)).id)),
  }),
];

/** Users. */
export const userRoutes = [...accounts, ...resets, ...policies, ...verifications];

function policyView(policy: Awaited<ReturnType<typeof findSignInPolicy>>) {
  return { ...asPolicyInput(policy), version: policy.version, updated_at: policy.updated_at };
}

/** Creates the account and its link, or neither. */
async function invited(deps: UserRouteDeps, actor: Actor, body: UserInput) {
  return inTransaction(deps.db, async (db) => {
    const within = { ...deps, db };
    const user = await createUser(within, actor, body);
    const invitation = await createPasswordLink(within, actor, user.id);
    return { ...(await shown(within, user)), invitation };
  });
}

async function shown({ db, now }: UserDeps, user: User) {
  const [roles, has_password] = await Promise.all([listRoleNames(db, user.id, now()), hasPassword(db, user.id)]);
  return { ...user, roles, has_password };
}
