import { isDeepStrictEqual } from 'node:util';
import { v7 as uuidv7 } from 'uuid';
import { inTransaction, type Trx } from '../../platform/database/index.ts';
import { type Actor, checked, conflict, invalid, mergePatch, mustBeAt, notFound } from '../../platform/http/index.ts';
import { demandOf, mustBeReachable } from '../assurance/index.ts';
import { appendEvent } from '../audit/index.ts';
import {
  asInput,
  asStored,
  type Columns,
  changesOf,
  signInOf,
  signingAlgsOf,
  signingDefaults,
  split,
} from './registration.ts';
import { mustBeAllowedWith, ownerOf } from './rights.ts';
import { ClientInput } from './schemas.ts';
import { isNewSecret, keepSecrets, type SecretDeps } from './secrets.ts';
import { type Client, findClient, insertClient, liveSecrets, lockClient, updateClient } from './store.ts';

export type ClientDeps = SecretDeps & {
  /** The provider's own check of RFC 7591 metadata; throws a Problem `invalid`. */
  validateMetadata: (metadata: Record<string, unknown>) => Promise<void>;
};

export type PutClientResult = {
  client: Client;
  change: 'created' | 'updated' | 'unchanged';
  /** The generated secret; shown once, only a digest is stored. */
  client_secret?: string;
};

/**
 * Creates a client, or updates an existing one to equal the input, in the transaction of the caller. Generates a secret if the
 * client needs one and has no active one. A new secret in the input replaces earlier secrets from configuration at once. An input
 * without a signing algorithm keeps the one of an existing client. The caller validates the metadata first (`checkClient`).
 * A client that only its metadata document described now belongs to the operator, unless `over` is `nothing`.
 *
 * @throws Problem `conflict`: it is built in, or no operator registered it; `forbidden`: it has, or would get, a permission that the
 *   actor does not hold
 */
export async function putClient(
  trx: Trx,
  deps: ClientDeps,
  actor: Actor,
  input: ClientInput,
  { over = 'documents' }: { over?: 'documents' | 'nothing' } = {},
): Promise<PutClientResult> {
  const existing = await lockClient(trx, input.client_id);
  if (!existing && ofWorkloads.test(input.client_id))
    throw invalid('/client_id', 'Choose another one: trusts give ids of this form to workloads.');
  mustBeReachable(demandOf([signInOf(input)]));
  const desired = split({ ...signingAlgsOf(existing), ...input });
  const owner_id = await ownerOf(trx, actor, input.owner, existing);
  const isTakenOver = over === 'documents' && existing?.registered_by === 'document';
  const isKept = isSelfRegistered(existing) && !isTakenOver;
  // The type of a client that no operator registered does not follow from its metadata.
  const type = isKept ? existing.type : desired.columns.type;
  const columns = { ...desired.columns, owner_id, type };
  if (existing?.built_in) mustKeepAllBut(existing, columns);
  if (existing?.trust_id) mustFollowTrust(existing, columns);
  else if (isKept) mustKeepDescription(existing, columns);
  const live = existing ? await liveSecrets(trx, existing.id, deps.now()) : [];
  await mustBeAllowedWith(trx, {
    ...{ now: deps.now, actor, client_id: input.client_id },
    client: existing,
    desired: columns,
    secret: isNewSecret(deps, live, input.client_secret) ? { until: null } : undefined,
  });
  const { client, change } = existing
    ? await alter(deps, trx, existing, { ...columns, ...(isTakenOver && { registered_by: 'operator' as const }) })
    : { client: await create(deps, trx, input.client_id, columns), change: 'created' as const };
  if (change !== 'unchanged') await record(trx, actor, change, { client, before: existing, occurred_at: deps.now() });
  const secrets = await keepSecrets(trx, deps, actor, { client, given: input.client_secret, live });
  return { client, change: change === 'unchanged' && secrets.changed ? 'updated' : change, ...secrets.made };
}

/**
 * Validates metadata with the provider's own rules.
 *
 * @throws Problem `invalid`: it contradicts itself or a standard
 */
export async function checkClient(
  { validateMetadata }: Pick<ClientDeps, 'validateMetadata'>,
  input: ClientInput,
): Promise<void> {
  await validateMetadata({ ...split(input).metadata, client_id: input.client_id });
}

/**
 * Registers a new client.
 *
 * @throws Problem `invalid`: the metadata contradicts itself or a standard; `conflict`: the `client_id` is taken; `forbidden`: it
 *   would get a permission that the actor does not hold
 */
export async function createClient(deps: ClientDeps, actor: Actor, input: ClientInput): Promise<PutClientResult> {
  await checkClient(deps, input);
  return inTransaction(deps.db, async (trx) => {
    const existing = await lockClient(trx, input.client_id);
    if (existing && existing.registered_by !== 'document')
      throw conflict(`A client with the client_id "${input.client_id}" already exists.`);
    return putClient(trx, deps, actor, input);
  });
}

/**
 * Updates a client with a JSON Merge Patch of its configuration. An actor who can change a client could take it over, so they must
 * hold all of its permissions.
 *
 * @throws Problem `not_found`; `invalid`; `precondition_failed`; `forbidden`: it has, or would get, a permission that the actor
 *   does not hold
 */
export async function changeClient(
  deps: ClientDeps,
  actor: Actor,
  { client_id, patch, ifVersion }: { client_id: string; patch: Record<string, unknown>; ifVersion: number | undefined },
): Promise<Client> {
  const before = await findClient(deps.db, client_id);
  if (!before) throw notFound('client', client_id);
  // An owner is replaced, not merged: a user with the `client_id` of a client is neither.
  const present = asInput('owner' in patch ? { ...before, owner: null } : before);
  const input = checked(ClientInput, mergePatch(present, patch));
  if (input.client_id !== client_id) throw invalid('/client_id', 'The client_id of a client cannot be changed.');
  await checkClient(deps, input);
  return inTransaction(deps.db, async (trx) => {
    const client = await lockClient(trx, client_id);
    // The check used the version that was read: a concurrent change must be read first.
    if (!client) throw notFound('client', client_id);
    mustBeAt(client.version, before.version);
    mustBeAt(client.version, ifVersion);
    // A patch that removes an algorithm asks for the default.
    const desired = { ...(client.built_in ? {} : signingDefaults), ...input };
    return (await putClient(trx, deps, actor, desired, { over: 'nothing' })).client;
  });
}

async function create({ now }: ClientDeps, trx: Trx, client_id: string, columns: Columns): Promise<Client> {
  const created_at = now();
  return insertClient(trx, { id: uuidv7(), client_id, ...asStored(columns), created_at, updated_at: created_at });
}

type Alteration = Columns & { registered_by?: 'operator' };

async function alter({ now }: ClientDeps, trx: Trx, existing: Client, columns: Alteration) {
  const isSame = Object.entries(columns).every(([name, value]) =>
    isDeepStrictEqual(existing[name as keyof Columns], value),
  );
  if (isSame) return { client: existing, change: 'unchanged' as const };
  const updated_at = now();
  // Disabling revokes the tokens issued until now; enabling the client again does not restore them.
  const ended = existing.enabled && !columns.enabled ? { tokens_valid_after: updated_at } : {};
  const client = await updateClient(trx, existing.id, { ...asStored(columns), ...ended, updated_at });
  return { client, change: 'updated' as const };
}

/**
 * Disables a client: it can no longer authenticate, and its tokens are revoked. `putClient` with `enabled: true` enables it
 * again; tokens from before remain revoked.
 *
 * @throws Problem `not_found`; `conflict`: it is built in
 */
export async function disableClient(deps: ClientDeps, actor: Actor, client_id: string): Promise<Client> {
  return inTransaction(deps.db, async (trx) => {
    const client = await lockClient(trx, client_id);
    if (!client) throw notFound('client', client_id);
    mustBeRegistered(client);
    if (!client.enabled && !client.disabled_with_trust) return client;
    const disabled_at = deps.now();
    const disabled = await updateClient(trx, client.id, {
      enabled: false,
      // It stays disabled when its trust is enabled again.
      disabled_with_trust: false,
      tokens_valid_after: disabled_at,
      updated_at: disabled_at,
    });
    await record(trx, actor, 'disabled', { client: disabled, occurred_at: disabled_at });
    return disabled;
  });
}

function mustBeRegistered({ client_id, built_in }: Client): void {
  if (built_in) throw conflict(`The client "${client_id}" is built in: it cannot be disabled.`);
}

function isSelfRegistered(client: Client | undefined): client is Client {
  return client !== undefined && client.registered_by !== 'operator';
}

/** A client that no operator registered describes itself, and gets only the open scopes of APIs. */
function mustKeepDescription(existing: Client, { lifetimes: _, enabled: __, ...columns }: Columns): void {
  if (isChanged(existing, columns))
    throw conflict(
      `No operator registered the client "${existing.client_id}": only its lifetimes and whether it is enabled can be changed.`,
    );
}

function isChanged(existing: Client, columns: Partial<Columns>): boolean {
  return Object.entries(columns).some(([name, value]) => !isDeepStrictEqual(existing[name as keyof Columns], value));
}

/** Only the token lifetimes of a built-in client can be changed. */
function mustKeepAllBut(existing: Client, { lifetimes: _, ...columns }: Columns): void {
  if (isChanged(existing, columns))
    throw conflict(`The client "${existing.client_id}" is built in: only its lifetimes can be changed.`);
}

// A client that was registered beforehand under such an id could act under the name of a workload.
const ofWorkloads = /^workload-[0-9a-f]{32}$/;

/** A workload has the permissions of its trust, and is disabled while the trust is. Only its own state and its owner can be changed. */
function mustFollowTrust(existing: Client, { enabled, owner_id: _, risk: __, ...columns }: Columns): void {
  const registered = `A trust registered the client "${existing.client_id}"`;
  if (isChanged(existing, columns)) throw conflict(`${registered}: change the trust instead.`);
  if (enabled && existing.disabled_with_trust)
    throw conflict(`${registered}, which is disabled: enable the trust instead.`);
}

type Recorded = { client: Client; before?: Client | undefined; occurred_at: Date };

async function record(
  trx: Trx,
  actor: Actor,
  what: 'created' | 'updated' | 'disabled',
  { client, before, occurred_at }: Recorded,
): Promise<void> {
  const { client_id, type, enabled } = client;
  const changed = what === 'updated' && before ? { changed: changesOf(before, client) } : {};
  await appendEvent(trx, {
    actor,
    action: `client.${what}`,
    target: { kind: 'client', id: client_id },
    details: { type, enabled, ...changed },
    occurred_at,
  });
}
