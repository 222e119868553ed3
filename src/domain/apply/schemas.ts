import { z } from 'zod';
import { ClientInput } from '../clients/index.ts';
import { ResourceServerInput } from '../resource-servers/index.ts';
import { UserInput } from '../users/index.ts';

const most = 10_000;

/** The whole file. Its shape stays compatible: members may be added, none change their meaning. */
export const ConfigurationFile = z.strictObject({
  resource_servers: z.array(ResourceServerInput).max(most).default([]),
  clients: z.array(ClientInput).max(most).default([]),
  users: z.array(UserInput).max(most).default([]),
});
export type ConfigurationFile = z.infer<typeof ConfigurationFile>;

/** Which members of each list hold secrets: a file may say where these are instead. */
export const secretMembers: Readonly<Record<string, readonly string[]>> = {
  clients: ['client_secret'],
  users: ['password', 'password_hash'],
};

/** Which members name an entry of each list. */
export const keys = { resource_servers: 'identifier', clients: 'client_id', users: 'username' } as const;
