import { z } from 'zod';
import { AssignmentEntry, RoleInput } from '../access/index.ts';
import { ConfiguredKey } from '../api-keys/index.ts';
import { ClientInput } from '../clients/index.ts';
import { WebhookInput } from '../notifications/index.ts';
import { ResourceServerInput } from '../resource-servers/index.ts';
import { TrustInput } from '../trusts/index.ts';
import { SignInPolicyInput, UserInput } from '../users/index.ts';

const most = 10_000;

/** The whole file. Its schema stays compatible: members may be added, but never change their meaning. */
export const ConfigurationFile = z.strictObject({
  resource_servers: z.array(ResourceServerInput).max(most).default([]),
  clients: z.array(ClientInput).max(most).default([]),
  users: z.array(UserInput).max(most).default([]),
  // Without a default: pruning ignores records of a list that the file omits.
  roles: z.array(RoleInput).max(most).optional(),
  role_assignments: z.array(AssignmentEntry).max(most).optional(),
  api_keys: z.array(ConfiguredKey).max(most).optional(),
  webhooks: z.array(WebhookInput).max(most).optional(),
  trusts: z.array(TrustInput).max(most).optional(),
  sign_in_policy: SignInPolicyInput.optional(),
});
export type ConfigurationFile = z.infer<typeof ConfigurationFile>;

/** The members of each list that hold secrets, possibly nested: a file may contain references to these instead. */
export const secretMembers: Readonly<Record<string, readonly string[]>> = {
  clients: ['client_secret'],
  users: ['password', 'password_hash'],
  // Receivers put secrets into paths and queries.
  webhooks: ['url'],
  trusts: ['login/client_secret', 'token_review/token'],
};

/** The members that together identify an entry of each list. */
export const keys = {
  resource_servers: ['identifier'],
  clients: ['client_id'],
  users: ['username'],
  roles: ['name'],
  role_assignments: ['role', 'to'],
  api_keys: ['owner', 'environment', 'name'],
  webhooks: ['url'],
  trusts: ['name'],
} as const satisfies Record<Exclude<keyof ConfigurationFile, 'sign_in_policy'>, readonly string[]>;
