import { inTransaction, type Trx } from '../../platform/database/index.ts';
import { type Actor, invalid, Problem } from '../../platform/http/index.ts';
import { type AssignmentEntry, putAssignment, putRole } from '../access/index.ts';
import { type ApiKeyDeps, type ConfiguredKey, putKey } from '../api-keys/index.ts';
import { type ClientDeps, type ClientInput, checkClient, lockClient, putClient } from '../clients/index.ts';
import { putWebhook, type WebhookDeps } from '../notifications/index.ts';
import { putResourceServer } from '../resource-servers/index.ts';
import { putTrust, type TrustRouteDeps } from '../trusts/index.ts';
import {
  addBrought,
  type Brought,
  findUserByUsername,
  generatePassword,
  hashNewPassword,
  hasPassword,
  importedHash,
  type PasswordHash,
  putSignInPolicy,
  putUser,
  type UserInput,
} from '../users/index.ts';
import type { ConfigurationFile } from './schemas.ts';
import { type ChangedMembers, changedInThis, lockApplying } from './store.ts';

export type ApplyDeps = ClientDeps & ApiKeyDeps & WebhookDeps & Pick<TrustRouteDeps, 'issuerKeys' | 'tokenReviews'>;

export type Change = {
  kind:
    | 'resource server'
    | 'client'
    | 'user'
    | 'role'
    | 'role assignment'
    | 'API key'
    | 'webhook'
    | 'trust'
    | 'sign-in policy';
  id: string;
  change: 'created' | 'updated' | 'unchanged';
  /** The generated client secret, password, API key or webhook secret; shown once. */
  secret?: string;
  /** Members that differ, where it was updated. */
  changed?: string[];
};

export type ApplyOptions = {
  /** Plans only: everything is applied and rolled back. */
  dryRun?: boolean;
  /** How to handle a missing secret: generate and return it, or refuse the file. */
  missingSecrets: 'make' | 'refuse';
  /** `leave`: users without a password or hash get none, and choose one with a link. */
  missingPasswords?: 'leave' | undefined;
};

type MissingPasswords = ApplyOptions['missingSecrets'] | 'leave';

export type ApplyResult = { changes: Change[] };

/** What an import knows about a new user in addition to the configuration file. */
type Bringing = { brought?: Brought };
type Prepared = { file: ConfigurationFile; users: PreparedUser[] };
type PreparedUser = { input: UserInput & Bringing; hash: PasswordHash | undefined; made: string | undefined };

/**
 * Applies a configuration file, completely or not at all. What the file omits does not change. Applying the same file again
 * changes nothing and generates no new secrets; concurrent applies on several nodes run one after another.
 *
 * @throws Problem `invalid`: an entry contradicts itself, a standard or another entry; `conflict`
 */
export async function applyConfiguration(
  deps: ApplyDeps,
  actor: Actor,
  file: ConfigurationFile,
  { dryRun = false, missingSecrets, missingPasswords }: ApplyOptions,
): Promise<ApplyResult> {
  for (const [index, client] of file.clients.entries()) await at(`/clients/${index}`, () => checkClient(deps, client));
  const users = await prepareUsers(deps, file.users, missingPasswords ?? missingSecrets);
  const planned: { changes?: Change[] } = {};
  try {
    await inTransaction(deps.db, async (trx) => {
      await lockApplying(trx);
      planned.changes = await putAll(trx, deps, actor, { file, users });
      planned.changes = withChanged(planned.changes, await changedInThis(trx));
      refuseMade(planned.changes, missingSecrets);
      if (dryRun) throw new DryRunRollback();
    });
  } catch (error) {
    if (!(error instanceof DryRunRollback)) throw error;
  }
  return { changes: planned.changes ?? [] };
}

/** The names of the members that an update changed, as in its audit event; never values. */
function withChanged(changes: readonly Change[], changed: ChangedMembers): Change[] {
  return changes.map((change) => {
    const members = change.change === 'updated' ? changed.get(`${change.kind} ${change.id.toLowerCase()}`) : undefined;
    return members ? { ...change, changed: members } : change;
  });
}

/** Rolls back the transaction of a dry run. */
class DryRunRollback extends Error {}

async function putAll(trx: Trx, deps: ApplyDeps, actor: Actor, { file, users }: Prepared): Promise<Change[]> {
  const changes: Change[] = [];
  for (const [index, input] of file.resource_servers.entries()) {
    const { change } = await at(`/resource_servers/${index}`, () => putResourceServer(trx, deps, actor, input));
    changes.push({ kind: 'resource server', id: input.identifier, change });
  }
  for (const [index, input] of (file.roles ?? []).entries()) {
    const change = await at(`/roles/${index}`, () => putRole({ ...deps, db: trx }, actor, input));
    changes.push({ kind: 'role', id: input.name, change });
  }
  // Trusts name roles.
  for (const [index, input] of (file.trusts ?? []).entries()) {
    const { change } = await at(`/trusts/${index}`, () => putTrust(trx, deps, actor, input));
    changes.push({ kind: 'trust', id: input.name, change });
  }
  // Clients are locked before users, as everywhere; but the user who owns a client has to exist before it.
  for (const { client_id } of file.clients) await lockClient(trx, client_id);
  const userChanges: Change[] = [];
  for (const [index, user] of users.entries()) {
    userChanges.push(await at(`/users/${index}`, () => changeUser(trx, deps, actor, user)));
  }
  for (const [index, input] of file.clients.entries()) {
    changes.push(await at(`/clients/${index}`, () => changeClient(trx, deps, actor, input)));
  }
  const rest = await putRest({ ...deps, db: trx }, trx, actor, file);
  return [...changes, ...userChanges, ...rest];
}

/** The entries that refer to clients and users, after those. */
async function putRest(deps: ApplyDeps, trx: Trx, actor: Actor, file: ConfigurationFile): Promise<Change[]> {
  const changes: Change[] = [];
  for (const [index, entry] of (file.role_assignments ?? []).entries()) {
    const change = await at(`/role_assignments/${index}`, () => putAssignment(deps, actor, entry));
    changes.push({ kind: 'role assignment', id: nameOfAssignment(entry), change });
  }
  for (const [index, entry] of (file.api_keys ?? []).entries()) {
    const { key, change } = await at(`/api_keys/${index}`, () => putKey(deps, actor, entry));
    changes.push({ kind: 'API key', id: nameOfKey(entry), change, ...(key && { secret: key }) });
  }
  for (const [index, input] of (file.webhooks ?? []).entries()) {
    const { secret, change } = await at(`/webhooks/${index}`, () => putWebhook(deps, actor, input));
    changes.push({ kind: 'webhook', id: nameOfWebhook(input), change, ...(secret && { secret }) });
  }
  const { sign_in_policy } = file;
  if (sign_in_policy) {
    const change = await at('/sign_in_policy', () => putSignInPolicy(trx, deps, actor, sign_in_policy));
    changes.push({ kind: 'sign-in policy', id: 'sign-in policy', change });
  }
  return changes;
}

/** The display name of an assignment. */
export function nameOfAssignment({ role, to }: AssignmentEntry): string {
  return `${role} of ${'user' in to ? to.user : to.client_id}`;
}

/** The display name of an API key. */
export function nameOfKey({ owner, environment, name }: Pick<ConfiguredKey, 'owner' | 'environment' | 'name'>): string {
  return `${'user' in owner ? owner.user : owner.client_id} ${environment} ${name}`;
}

/** The display name of a webhook: its host only, because paths and queries can contain secrets. */
export function nameOfWebhook({ url }: { url: string }): string {
  return new URL(url).host;
}

async function changeClient(trx: Trx, deps: ApplyDeps, actor: Actor, input: ClientInput): Promise<Change> {
  const { change, client_secret } = await putClient(trx, deps, actor, input);
  return { kind: 'client', id: input.client_id, change, ...(client_secret && { secret: client_secret }) };
}

async function changeUser(
  trx: Trx,
  deps: ApplyDeps,
  actor: Actor,
  { input, hash, made }: PreparedUser,
): Promise<Change> {
  const { password: _, password_hash: __, brought, ...person } = input;
  const { change, user } = await putUser(trx, deps, actor, { ...person, hash, verified_by: 'import' });
  if (brought && change === 'created') await addBrought(trx, deps, actor, { user_id: user.id, ...brought });
  return { kind: 'user', id: input.username, change, ...(made && { secret: made }) };
}

/** Hashes passwords before the transaction, because it is slow, and only for users without one. */
async function prepareUsers(
  { db }: ApplyDeps,
  inputs: readonly UserInput[],
  missing: MissingPasswords,
): Promise<PreparedUser[]> {
  const prepared: PreparedUser[] = [];
  for (const [index, input] of inputs.entries()) {
    const existing = await findUserByUsername(db, input.username);
    const isSet = existing !== undefined && (await hasPassword(db, existing.id));
    prepared.push(await at(`/users/${index}`, () => prepareUser(input, isSet, missing)));
  }
  return prepared;
}

async function prepareUser(input: UserInput, isSet: boolean, without: MissingPasswords): Promise<PreparedUser> {
  if (isSet || input.password_hash)
    return { input, hash: isSet ? undefined : importedHash(input.password_hash), made: undefined };
  const isMade = input.password === undefined;
  if (isMade && without === 'leave') return { input, hash: undefined, made: undefined };
  if (isMade && without === 'refuse')
    throw missing(`User "${input.username}" has no password`, 'password or password_hash');
  const password = input.password ?? generatePassword();
  return { input, hash: await hashNewPassword(password, input), made: isMade ? password : undefined };
}

function refuseMade(changes: readonly Change[], missingSecrets: ApplyOptions['missingSecrets']): void {
  const made = missingSecrets === 'refuse' ? changes.find(({ secret }) => secret !== undefined) : undefined;
  if (made?.kind === 'client') throw missing(`Client "${made.id}" has no client_secret`, 'client_secret');
  if (made)
    throw invalid(
      '',
      `The ${made.kind} "${made.id}" does not exist yet: run "latchkey apply", which creates it and shows its secret once.`,
    );
}

function missing(what: string, member: string): Problem {
  return invalid(
    `/${member}`,
    `${what}: set ${member} in the file, or run "latchkey apply", which generates one and shows it once.`,
  );
}

/** Adds the position in the file to a refusal. */
async function at<T>(place: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    const { pointer = '', detail } = error.options;
    throw new Problem(error.status, error.type, {
      ...error.options,
      pointer: place + pointer,
      detail: `${place}${pointer}: ${detail}`,
    });
  }
}
