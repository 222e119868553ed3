import { type Brought, EmailAddress, UserInput } from '../users/index.ts';
import { roleName, skipped, wordsOf } from './convert.ts';
import { givenRoles } from './given-roles.ts';
import { convertedHash } from './hashes.ts';
import { convertedIdentities } from './identities.ts';
import { type Note, noteLossesOf } from './losses.ts';
import { convertedCodes } from './one-time-codes.ts';
import type { KeycloakUser, Realm } from './schemas.ts';
import type { Taken } from './store.ts';

export type ImportedUser = UserInput & { id?: string; brought: Brought };

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The username of a user here; of an e-mail address, its local part. */
export const plainUsername = ({ username }: Pick<KeycloakUser, 'username'>) =>
  (username.split('@')[0] ?? '').replaceAll(/[^A-Za-z0-9._-]+/g, '-').slice(0, 60);

type Converting = {
  realm: Realm;
  taken: Taken;
  /** The roles that are being imported, by their names in Keycloak. */
  roles: ReadonlySet<string>;
  note: Note;
};

/** The users of a realm whose names are not taken, with their ids if these are free, and what they bring in addition to a password. */
export async function convertedUsers({ realm, taken, roles, note }: Converting): Promise<ImportedUser[]> {
  const [usernames, emails] = [new Set(taken.usernames), new Set<string>()];
  const rolesOf = givenRoles(realm);
  const imported: ImportedUser[] = [];
  for (const listed of realm.users) {
    if (listed.serviceAccountClientId || isTaken(listed, { taken, note })) continue;
    const user = withUsableAddress(listed, { emails, note });
    const username = freeName(plainUsername(user), usernames);
    const given = rolesOf(user);
    const known = given.filter((role) => roles.has(role)).map(roleName);
    const parsed = UserInput.safeParse({ ...accountOf(user, note), username, roles: [...new Set(known)].sort() });
    if (!parsed.success) {
      skipped(note, 'user', user.username, wordsOf(parsed.error));
      continue;
    }
    usernames.add(username.toLowerCase());
    if (username !== user.username) note('user', user.username, `gets the username ${username}`);
    const { codes: one_time_codes, left: apps } = await convertedCodes(user);
    const { identities, left: accounts } = convertedIdentities(user, realm, taken.accounts);
    noteLossesOf(user, { given, roles, left: { apps, accounts } }, note);
    imported.push({ ...parsed.data, ...freeId(user, { taken, note }), brought: { one_time_codes, identities } });
  }
  return imported;
}

function isTaken({ username, email }: KeycloakUser, { taken, note }: Pick<Converting, 'taken' | 'note'>): boolean {
  const isSameAddress = email ? taken.emails.has(email.toLowerCase()) : false;
  if (isSameAddress) skipped(note, 'user', username, 'a user with this e-mail address exists');
  const isSameName = !isSameAddress && taken.usernames.has(username.toLowerCase());
  if (isSameName) skipped(note, 'user', username, 'a user of this name exists');
  return isSameAddress || isSameName;
}

/** A user; without the address if it is invalid, or if another user of the file has it. */
function withUsableAddress(user: KeycloakUser, { emails, note }: { emails: Set<string>; note: Note }): KeycloakUser {
  const { username, email } = user;
  if (!email) return user;
  const address = email.toLowerCase();
  const isSecond = emails.has(address);
  const isNone = !EmailAddress.safeParse(email).success;
  emails.add(address);
  if (isSecond) note('user', username, 'gets no e-mail address: another user of the file has it');
  else if (isNone) note('user', username, `gets no e-mail address: ${email} is none`);
  return isSecond || isNone ? { ...user, email: null } : user;
}

function freeId({ id: given, username }: KeycloakUser, { taken, note }: Pick<Converting, 'taken' | 'note'>) {
  const id = given?.toLowerCase() ?? '';
  if (uuid.test(id) && !taken.ids.has(id)) return { id };
  note('user', username, 'gets another sub: the id is taken, or is not a UUID');
  return {};
}

function accountOf(user: KeycloakUser, note: Note) {
  const { email, emailVerified, enabled, requiredActions } = user;
  const { hash, problem } = convertedHash(user);
  if (problem) note('user', user.username, `${problem}; they choose a new password with a link`);
  const name = [user.firstName, user.lastName].filter(Boolean).join(' ');
  const email_verified = emailVerified && !requiredActions.includes('VERIFY_EMAIL');
  return {
    enabled,
    ...(email && { email, email_verified }),
    ...(name && { name }),
    ...(hash && { password_hash: hash }),
  };
}

function freeName(wanted: string, taken: ReadonlySet<string>): string {
  const isTakenName = (name: string) => taken.has(name.toLowerCase());
  if (!isTakenName(wanted)) return wanted;
  for (let n = 2; ; n += 1) if (!isTakenName(`${wanted}-${n}`)) return `${wanted}-${n}`;
}
