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
 * The permissions that revoking by each handle requires in addition to `latchkey:token:revoke`: one for each kind of credential
 * that it revokes. A caller who presents a token's value needs no other. Revoking every token for an API interrupts it as
 * disabling it does, and requires the same permission.
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
 * Guards a revocation and its dry run. The tokens for one of Latchkey's own APIs include those of every administrator, so revoking
 * them requires the permission to revoke all tokens.
 *
 * @throws Problem `forbidden` naming the first missing permission
 */
export async function mustBeAllowedToRevoke(db: Db, actor: Actor, handle: Handle): Promise<void> {
  const server = 'resource_server' in handle ? await findResourceServer(db, handle.resource_server) : undefined;
  const kinds = Object.entries(handle).flatMap(([kind, value]) => (value === false ? [] : [kind as HandleKind]));
  const needed = [...kinds.flatMap((kind) => permissionsToRevoke[kind]), ...(server?.built_in ? [everything] : [])];
  for (const permission of needed) mustBePermitted(actor, permission, 'Revoking this');
}
