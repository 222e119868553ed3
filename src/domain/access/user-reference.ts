import { type RawBuilder, sql } from 'kysely';
import { z } from 'zod';

/** The name by which a user is looked up. */
type UserReference = { by: 'id' | 'username' | 'email'; value: string };

const uuidParts = /^(.{8})(.{4})(.{4})(.{4})(.{12})$/;
const prefixed = /^(id|username|email):(.+)$/s;

/**
 * The id that a text names, in its canonical form; undefined when it does not look like an id. Case, separators, braces, a
 * "urn:uuid:" prefix and compatibility variants of characters (NFKC) make no difference: every text that a reader or a parser of
 * UUIDs could take for an id counts as one. `identifier_as_id` in the database decides the same for ASCII texts.
 */
export function asId(text: string): string | undefined {
  const bare = text
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]/gu, '');
  const [, digits] = /^(?:urnuuid|guid|uuid|id)?([0-9a-f]{32})$/.exec(bare) ?? [];
  return digits?.replace(uuidParts, '$1-$2-$3-$4-$5');
}

/**
 * Parses a reference to a user: `id:…`, `username:…` or `email:…`. Without a prefix the form decides: a text that looks like an id
 * is an id, one with an "@" is an e-mail address, any other is a username. A text is never tried as two names.
 *
 * @returns undefined: an `id:` that is no id
 */
function parseUserReference(text: string): UserReference | undefined {
  const [, by, value = ''] = prefixed.exec(text) ?? [];
  if (by === 'username' || by === 'email') return { by, value };
  const id = asId(by === 'id' ? value : text);
  if (id !== undefined) return { by: 'id', value: id };
  if (by === 'id') return undefined;
  return { by: text.includes('@') ? 'email' : 'username', value: text };
}

/** How links and follow-up requests refer to the user with this username. */
export function referenceToUsername(username: string): string {
  return asId(username) === undefined ? username : `username:${username}`;
}

/** The condition on the table `users` for a reference; it matches no user if the reference is invalid. */
export function isUser(text: string): RawBuilder<boolean> {
  const reference = parseUserReference(text);
  if (!reference) return sql<boolean>`false`;
  const { by, value } = reference;
  if (by === 'id') return sql<boolean>`users.id = ${value}`;
  return sql<boolean>`lower(${sql.ref(`users.${by}`)}) = lower(${value})`;
}

/** A user in a path, a query or a body. */
export const UserReferenceText = z.string().min(1).max(263).meta({
  description:
    '`id:…`, `username:…` or `email:…`. Without a prefix: an id if it looks like one, an e-mail address if it has an "@", otherwise a username',
});
