import { isDeepStrictEqual } from 'node:util';
import type { Trx } from '../../platform/database/index.ts';
import type { Actor } from '../../platform/http/index.ts';
import { listHeldRights, mustBePermitted, mustHold, type Owner, type Right, subjectOf } from '../access/index.ts';
import type { ClientInput } from './schemas.ts';
import type { Client } from './store.ts';

type Registered = Pick<ClientInput, 'resources' | 'service_permissions' | 'introspects' | 'first_party' | 'enabled'>;

type Act = {
  now: () => Date;
  actor: Actor;
  client_id: string;
  /** As it is; absent: it is new. */
  client?: Client | undefined;
  /** As it is to be; absent: the actor gets a secret of it. */
  desired?: Registered | undefined;
};

/**
 * Whoever registers or changes a client, or gets a secret of it, could act as it. So they must hold all that it may ask for or
 * has, before and after; and need the permission of what else it is given:
 * - that people are not asked about it (`first_party`),
 * - that it sees the tokens of an API (`introspects`, or an API's identifier as its own: tokens with this audience are meant for it),
 * - that it stops (`enabled: false`), as the verb for that needs.
 *
 * @throws Problem `forbidden` naming what is missing
 */
export async function mustBeAllowedWith(trx: Trx, { now, actor, client_id, client, desired }: Act): Promise<void> {
  const states = [client, desired].filter((state) => state !== undefined);
  const held = client ? await listHeldRights(trx, client.id, now()) : [];
  await mustHold({ db: trx, now }, actor, [...held, ...states.flatMap(rightsIn)]);
  if (states.some(({ first_party }) => first_party))
    mustBePermitted(actor, 'latchkey:first_party:allow', 'A client that people are not asked about (first_party)');
  const isAddress = /^(?:https?|urn):/i.test(client_id);
  if (isAddress || states.some(({ introspects }) => introspects.length > 0))
    mustBePermitted(actor, 'latchkey:resource_server:write', 'A client that sees the tokens of an API (introspects)');
  if (client?.enabled && desired?.enabled === false)
    mustBePermitted(actor, 'latchkey:client:disable', 'Disabling a client');
}

/** What a client may ask for, and have itself. */
function rightsIn({ resources, service_permissions }: Registered): Right[] {
  return [resources, service_permissions].flatMap((perResource) =>
    Object.entries(perResource).flatMap(([resource, patterns]) => patterns.map((pattern) => ({ resource, pattern }))),
  );
}

/**
 * The id of the owner that an input names; null: nobody. An owner gains no rights by it. Whoever names another than themselves
 * must be allowed to see that user or client: the answer tells whether there is one.
 *
 * @throws Problem `invalid`: there is no such owner; `forbidden`: the actor may not see users or clients
 */
export async function ownerOf(
  trx: Trx,
  actor: Actor,
  owner: Owner | undefined,
  existing: Client | undefined,
): Promise<string | null> {
  if (owner === undefined) return null;
  if (existing?.owner && isDeepStrictEqual(owner, existing.owner)) return existing.owner_id;
  const id = await subjectOf(trx, owner).catch((error: unknown) => {
    mustSee(actor, owner);
    throw error;
  });
  if (id !== actor.subject_id) mustSee(actor, owner);
  return id;
}

function mustSee(actor: Actor, owner: Owner): void {
  const permission = 'user' in owner ? 'latchkey:user:read' : 'latchkey:client:read';
  mustBePermitted(actor, permission, 'Naming somebody else as the owner');
}
