import { assignRole } from '../../domain/access/index.ts';
import { type ClientDeps, ClientInput, findClient, putClient } from '../../domain/clients/index.ts';
import { findIssuer } from '../../domain/resource-servers/index.ts';
import { inTransaction } from '../../platform/database/index.ts';
import { type Actor, conflict } from '../../platform/http/index.ts';
import { adminAudience } from './permissions.ts';
import { registerOwnApis } from './resource-server.ts';

export type Bootstrapped = { client_id: string; client_secret: string; audience: string };

/**
 * Creates the first credential for programs: a service with the role of an owner. Only for the operator on the machine.
 *
 * @throws Problem `conflict`: there is a client of this name, or the installation has another issuer
 */
export async function bootstrap(
  deps: ClientDeps,
  actor: Actor,
  { client_id, issuer }: { client_id: string; issuer: string },
): Promise<Bootstrapped> {
  const known = await findIssuer(deps.db);
  if (known && known !== issuer)
    throw conflict(
      `This installation is at ${known}, and LATCHKEY_ISSUER says ${issuer}. Unset it, or start the server with it first.`,
    );
  await registerOwnApis(deps, issuer);
  const audience = adminAudience(issuer);
  const input = ClientInput.parse({
    client_id,
    client_name: 'Administration',
    grant_types: ['client_credentials'],
    service_permissions: { [audience]: ['latchkey:*'] },
  });
  if (await findClient(deps.db, client_id))
    throw conflict(
      `A client with the client_id "${client_id}" already exists: "latchkey client add-secret ${client_id}" adds a secret.`,
    );
  return inTransaction(deps.db, async (trx) => {
    const { client, client_secret = '' } = await putClient(trx, deps, actor, input);
    const subject = { kind: 'client' as const, id: client.id };
    await assignRole(trx, actor, { subject, role: 'owner', occurred_at: deps.now() });
    return { client_id, client_secret, audience };
  });
}
