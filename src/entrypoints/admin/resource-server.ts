import {
  listBuiltInIdentifiers,
  moveResourceServer,
  putResourceServer,
  ResourceServerInput,
} from '../../domain/resource-servers/index.ts';
import { type Db, inTransaction } from '../../platform/database/index.ts';
import { system } from '../../platform/http/index.ts';
import { adminAudience, adminPermissions } from './permissions.ts';

/**
 * Registers the admin API as a resource server of this issuer, with its permissions of this version, enabled; whether its tokens
 * are JWTs, how long they live and whether they need DPoP stays as it is. There is one: after a change of the issuer it is the same
 * one, under another identifier, and who was entitled to it still is.
 */
export async function registerAdminApi({ db, now }: { db: Db; now: () => Date }, issuer: string): Promise<void> {
  const identifier = adminAudience(issuer);
  const scopes = Object.entries(adminPermissions).map(([name, description]) => ({
    name,
    description,
    sensitive: true,
  }));
  const input = { identifier, name: 'Latchkey administration', assignment_required: true, scopes };
  await inTransaction(db, async (trx) => {
    // The newest first: it takes the identifier, older ones join it.
    for (const from of await listBuiltInIdentifiers(trx))
      await moveResourceServer(trx, { now }, system, { from, to: identifier });
    await putResourceServer(trx, { now }, system, ResourceServerInput.parse(input), { builtIn: true });
  });
}
