import { z } from 'zod';
import { AssignmentEntry, RoleInput } from '../access/index.ts';
import { ConfiguredKey } from '../api-keys/index.ts';
import { ClientInput } from '../clients/index.ts';
import { WebhookInput } from '../notifications/index.ts';
import { ResourceServerInput } from '../resource-servers/index.ts';
import { TrustInput } from '../trusts/index.ts';
import { SignInPolicyInput, UserInput } from '../users/index.ts';

const most = 10_000;

/** The whole file. Its shape stays compatible: members may be added, none change their meaning. */
export const ConfigurationFile = z.strictObject({
  resource_servers: z.array(ResourceServerInput).max(most).default([]),
  clients: z.array(ClientInput).max(most).default([]),
  users: z.array(UserInput).max(most).default([]),
  // Without default: pruning leaves what these lists would hold alone where the file does not have them.
  roles: z.array(RoleInput).max(most).optional(),
  role_assignments: z.array(AssignmentEntry).max(most).optional(),
  api_keys: z.array(ConfiguredKey).max(most).optional(),
  webhooks: z.array(WebhookInput).max(most).optional(),
  trusts: z.array(TrustInput).max(most).optional(),
  sign_in_policy: SignInPolicyInput.optional(),
});
export type ConfigurationFile = z.infer<typeof ConfigurationFile>;

/** Which members of each list hold secrets, or members of members: a file may say where these are instead. */
export const secretMembers: Readonly<Record<string, readonly string[]>> = {
  clients: ['client_secret'],
  users: ['password', 'password_hash'],
  // Receivers put secrets into paths and queries.
  webhooks: ['url'],
  trusts: ['login/client_secret', 'token_review/token'],
};

/** Which members together name an entry of each list. */
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
