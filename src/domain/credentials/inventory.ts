import type { z } from 'zod';
import type { Db, Trx } from '../../platform/database/index.ts';
import { type Actor, emptyPage, invalid, type SearchPage } from '../../platform/http/index.ts';
import { unsearched } from '../../platform/lists/index.ts';
import { allows, findOwner, mustBePermitted, type Owner } from '../access/index.ts';
import type { CredentialKind } from './kind.ts';
import type { Credential, CredentialsQuery } from './schemas.ts';
import { findIn, listCredentials, lockId } from './store.ts';

export type InventoryDeps = { db: Db; credentialKinds: readonly CredentialKind[] };

/**
 * A page of the credentials that the actor may see. Kinds of which the actor may see nothing are left out.
 *
 * @throws Problem `forbidden`: the actor may not see the requested kind; `invalid`: no such kind, owner or page
 */
export async function listInventory(
  { db, credentialKinds }: InventoryDeps,
  actor: Actor,
  { kind, client_id, user, ...query }: z.output<typeof CredentialsQuery>,
): Promise<SearchPage<Credential>> {
  const owner = ownerIn(client_id, user);
  const kinds = kindsFor(credentialKinds, actor, { kind, isOwned: owner !== undefined });
  const owner_id = owner && (await findOwner(db, owner));
  // An owner who does not exist has no credentials: callers who may not see users cannot tell.
  if (owner && owner_id === undefined) return { ...emptyPage(query), ...unsearched };
  if (kinds.length === 0) return { ...emptyPage(query), ...unsearched };
  const sort = owner_id === undefined ? sortOf(kinds, query.sort) : (query.sort ?? byDefault);
  return listCredentials(
    db,
    kinds.flatMap(({ inventory }) => inventory),
    { ...query, sort, owner_id },
  );
}

const byDefault = '-created_at';

/** @throws Problem `invalid`: no index lists a kind in this order */
function sortOf(kinds: readonly CredentialKind[], sort: string | undefined): string {
  const limited = kinds.find(({ orders }) => orders !== undefined);
  if (!limited?.orders) return sort ?? byDefault;
  const { kind, orders } = limited;
  if (sort === undefined) return `-${orders[0]}`;
  if (orders.some((order) => order === sort.replace(/^-/, ''))) return sort;
  throw invalid(
    '/sort',
    `All credentials of the kind ${kind} are sorted by ${orders.join(' or ')} only. Name a user or a client to sort theirs by something else.`,
  );
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

/** One credential; undefined: there is none with this id, or the id cannot be of this kind. */
export async function findCredential(
  db: Db,
  { inventory }: CredentialKind,
  id: string,
): Promise<Credential | undefined> {
  return findIn(db, inventory, id);
}

/** As `findCredential`, with a lock: concurrent revocations of the same credential wait and see the result of the first. */
export async function lockCredential(trx: Trx, kind: CredentialKind, id: string): Promise<Credential | undefined> {
  await lockId(trx, kind.kind, id);
  return findCredential(trx, kind, id);
}
