import type { Db } from '../../platform/database/index.ts';
import type { Actor } from '../../platform/http/index.ts';
import { mustBePermitted } from '../access/index.ts';
import { apiKeyKind } from '../api-keys/index.ts';
import { grantKind } from '../consents/index.ts';
import { findResourceServer } from '../resource-servers/index.ts';
import { sessionKind } from '../sessions/index.ts';
import type { Handle } from './schemas.ts';

const { permission: grant } = grantKind.revoke;
const { permission: session } = sessionKind.revoke;
const { permission: apiKey } = apiKeyKind.revoke;
const everything = 'latchkey:token:revoke_all';

type Members<Each> = Each extends unknown ? keyof Each : never;
type HandleKind = Members<Handle>;

/**
 * The permissions that ending by a handle of each kind needs beside `latchkey:token:revoke`: those of every kind of credential
 * that it ends. A token that somebody can name by its value needs no other. Ending all tokens for an API is as good as disabling
 * it for a moment.
 */
export const permissionsToRevoke: Readonly<Record<HandleKind, readonly string[]>> = {
  token: [],
  grant_id: [grant],
  session_id: [session],
  api_keys: [apiKey],
  user: [session, grant, apiKey],
  client_id: [grant, apiKey],
  resource_server: ['latchkey:resource_server:disable'],
  issued_before: [everything],
  include_api_keys: [apiKey],
};

/**
 * Who may end, or see what would end. All tokens for an API of Latchkey's own are every administrator's: these are ended by who
 * may end what everybody holds.
 *
 * @throws Problem `forbidden` naming the first permission that is missing
 */
export async function mustBeAllowedToRevoke(db: Db, actor: Actor, handle: Handle): Promise<void> {
  const server = 'resource_server' in handle ? await findResourceServer(db, handle.resource_server) : undefined;
  const kinds = Object.entries(handle).flatMap(([kind, value]) => (value === false ? [] : [kind as HandleKind]));
  const needed = [...kinds.flatMap((kind) => permissionsToRevoke[kind]), ...(server?.built_in ? [everything] : [])];
  for (const permission of needed) mustBePermitted(actor, permission, 'Ending this');
}
