import { z } from 'zod';
import type { Db, Trx } from '../../platform/database/index.ts';
import { type Actor, invalid, type Page, pageFrom, positionIn } from '../../platform/http/index.ts';
import { allows, findOwner, mustBePermitted, type Owner } from '../access/index.ts';
import type { CredentialKind } from './kind.ts';
import type { CredentialsQuery } from './schemas.ts';
import { type Credential, listCredentials, lockId } from './store.ts';

export type InventoryDeps = { db: Db; credentialKinds: readonly CredentialKind[] };

/** Of a cursor: a number of seconds, or the start of a name. */
const Seconds = z.string().regex(/^-?\d{1,16}(\.\d{1,20})?$/);
const Text = z
  .string()
  .max(1000)
  .regex(/^[^\0]*$/);

/**
 * A page of the credentials that the actor may see. Kinds of which the actor may see nothing are left out.
 *
 * @throws Problem `forbidden`: the actor may see nothing of the kind that is named; `invalid`: no such kind, owner or page
 */
export async function listInventory(
  { db, credentialKinds }: InventoryDeps,
  actor: Actor,
  { cursor, limit, kind, client_id, user, sort, ...filter }: z.output<typeof CredentialsQuery>,
): Promise<Page<Credential>> {
  const owner = ownerIn(client_id, user);
  const kinds = kindsFor(credentialKinds, actor, { kind, isOwned: owner !== undefined });
  const owner_id = owner && (await findOwner(db, owner));
  // An owner who does not exist has no credentials: callers who may not see users learn nothing.
  if (owner && owner_id === undefined) return { items: [], next: null };
  const after = positionIn(cursor, { value: sort === 'name' ? Text : Seconds, key: Text });
  const inventories = kinds.map(({ inventory }) => inventory.all);
  const rows = await listCredentials(db, inventories, { ...filter, owner_id, sort, after, limit: limit + 1 });
  return pageFrom(rows, limit, ({ value, key }) => ({ value, key }));
}

function ownerIn(client_id: string | undefined, user: string | undefined): Owner | undefined {
  if (client_id !== undefined) return { client_id };
  return user === undefined ? undefined : { user };
}

function kindsFor(
  all: readonly CredentialKind[],
  actor: Actor,
  { kind, isOwned }: { kind: string | undefined; isOwned: boolean },
): CredentialKind[] {
  if (kind === undefined)
    return all.filter(
      ({ isNumerous, permission }) => (isOwned || !isNumerous) && allows(actor.permissions, permission),
    );
  const named = findKind(all, kind, '/kind');
  mustBePermitted(actor, named.permission, 'Listing credentials of this kind');
  return [named];
}

/** @throws Problem `invalid`: there is no such kind */
export function findKind(all: readonly CredentialKind[], kind: string, pointer: string): CredentialKind {
  const found = all.find((each) => each.kind === kind);
  if (found) return found;
  throw invalid(pointer, `There is no kind "${kind}"; the kinds are ${all.map((each) => each.kind).join(', ')}.`);
}

/** One credential; undefined: there is none of this id, or this is no id of the kind. */
export async function findCredential(
  db: Db,
  { inventory, hasUuids }: CredentialKind,
  id: string,
): Promise<Credential | undefined> {
  if (hasUuids && !z.uuid().safeParse(id).success) return undefined;
  const [found] = await listCredentials(db, [inventory.one(id)], { sort: 'name', after: undefined, limit: 1 });
  return found;
}

/** As `findCredential`, in a transaction: of several that revoke the same credential the others wait and see what the first did. */
export async function lockCredential(trx: Trx, kind: CredentialKind, id: string): Promise<Credential | undefined> {
  await lockId(trx, kind.kind, id);
  return findCredential(trx, kind, id);
}
