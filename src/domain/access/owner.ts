import { type RawBuilder, sql } from 'kysely';
import { z } from 'zod';
import type { Db } from '../../platform/database/index.ts';
import { invalid } from '../../platform/http/index.ts';
import { findSubject, type SubjectName } from './store.ts';
import { UserReferenceText } from './user-reference.ts';

/** An owner: a client or a user. */
export const Owner = z.union(
  [z.strictObject({ client_id: z.string().min(1).max(255) }), z.strictObject({ user: UserReferenceText })],
  {
    error: 'must be a client, { "client_id": "billing" }, or a user, { "user": "alice" }',
  },
);
export type Owner = z.output<typeof Owner>;

/** The kind and the name of an owner. */
export function subjectNameOf(owner: Owner): SubjectName {
  return 'user' in owner ? { kind: 'user', name: owner.user } : { kind: 'client', name: owner.client_id };
}

/** The id of an owner; undefined: there is no such user or client. */
export async function findOwner(db: Db, owner: Owner): Promise<string | undefined> {
  return findSubject(db, subjectNameOf(owner));
}

/**
 * The id of an owner.
 *
 * @param pointer the member of the request that names the owner
 * @throws Problem `invalid`: there is no such user or client
 */
export async function subjectOf(db: Db, owner: Owner, pointer = '/owner'): Promise<string> {
  const { kind, name } = subjectNameOf(owner);
  const id = await findOwner(db, owner);
  if (id === undefined) throw invalid(pointer, `There is no ${kind} "${name}".`);
  return id;
}

/** The `Owner` whose subject id a column holds, as JSON; null where the column is null. */
export function ownerReference(column: string): RawBuilder<Owner | null> {
  const id = sql.ref(column);
  return sql<Owner | null>`coalesce(
    (select json_build_object('user', case when u.username ~ '[@:]' or identifier_as_id(u.username) is not null
      then 'username:' || u.username else u.username end) from users u where u.id = ${id}),
    (select json_build_object('client_id', o.client_id) from clients o where o.id = ${id}))`;
}
