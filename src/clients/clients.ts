import { isDeepStrictEqual } from 'node:util';
import { v7 as uuidv7 } from 'uuid';
import type { ClientType } from '../../db/schema.ts';
import { appendEvent } from '../audit/index.ts';
import { type Digest, keyedDigest, mintCredential, sameDigest } from '../platform/crypto/index.ts';
import type { Db, Trx } from '../platform/database/index.ts';
import { type Actor, conflict, notFound } from '../platform/http/index.ts';
import type { ServerKeys } from '../platform/keys/index.ts';
import type { ClientInput } from './schemas.ts';
import {
  type Client,
  insertClient,
  insertSecret,
  liveSecrets,
  lockClient,
  revokeSecrets,
  updateClient,
} from './store.ts';

export type ClientDeps = {
  db: Db;
  now: () => Date;
  keys: ServerKeys;
  /** The provider's own check of RFC 7591 metadata; throws a Problem `invalid`. */
  validateMetadata: (metadata: Record<string, unknown>) => Promise<void>;
};

export type PutClientResult = {
  client: Client;
  change: 'created' | 'updated' | 'unchanged';
  /** The secret made here; shown once, stored nowhere. */
  client_secret?: string;
};

const secretMethods = ['client_secret_basic', 'client_secret_post'];
const defaults = {
  grant_types: ['authorization_code', 'refresh_token'],
  token_endpoint_auth_method: 'client_secret_basic',
};

/** A client's kind follows from its metadata: nobody has to say it twice. */
export function typeOf(metadata: Record<string, unknown>): ClientType {
  const grants = Array.isArray(metadata.grant_types) ? metadata.grant_types : defaults.grant_types;
  if (metadata.application_type === 'native') return 'native';
  if (grants.length === 1 && grants[0] === 'client_credentials') return 'service';
  return metadata.token_endpoint_auth_method === 'none' ? 'spa' : 'web';
}

/** Whether the client authenticates with a secret. */
function usesSecret(metadata: Record<string, unknown>): boolean {
  return secretMethods.includes(String(metadata.token_endpoint_auth_method));
}

/**
 * Creates a client, or makes an existing one equal to the input. A secret is made when one is needed and none is live;
 * applying again never makes another. A given secret that is new replaces the given ones before it at once.
 *
 * @throws Problem `invalid`: the metadata contradicts itself or a standard
 */
export async function putClient(deps: ClientDeps, actor: Actor, input: ClientInput): Promise<PutClientResult> {
  const desired = split(input);
  await deps.validateMetadata({ ...desired.metadata, client_id: input.client_id });
  return deps.db.transaction().execute(async (trx) => {
    const existing = await lockClient(trx, input.client_id);
    const { client, change } = existing
      ? await alter(deps, trx, existing, desired.columns)
      : { client: await create(deps, trx, input.client_id, desired.columns), change: 'created' as const };
    if (change !== 'unchanged') await record(trx, actor, change, client, deps.now());
    const secrets = await keepSecrets(deps, trx, actor, {
      client,
      metadata: desired.metadata,
      given: input.client_secret,
    });
    return { client, change: change === 'unchanged' && secrets.changed ? 'updated' : change, ...secrets.made };
  });
}

function split(input: ClientInput) {
  const {
    client_id: _,
    client_secret: __,
    first_party,
    enabled,
    resources,
    service_permissions,
    introspects,
    lifetimes,
    ...rest
  } = input;
  const metadata = withDefaults(rest);
  const type = typeOf(metadata);
  return {
    metadata,
    columns: { metadata, type, first_party, enabled, resources, service_permissions, introspects, lifetimes },
  };
}

/** RFC 7591 §2's defaults, and none of the redirect members for a client that never redirects. */
function withDefaults(given: Record<string, unknown>): Record<string, unknown> {
  const metadata: Record<string, unknown> = { ...defaults, ...given };
  const redirects = Array.isArray(metadata.grant_types) && metadata.grant_types.includes('authorization_code');
  return redirects ? metadata : { response_types: [], redirect_uris: [], ...metadata };
}

type Columns = ReturnType<typeof split>['columns'];

function asStored({ metadata, resources, service_permissions, introspects, lifetimes, ...plain }: Columns) {
  const json = { metadata, resources, service_permissions, introspects, lifetimes };
  return {
    ...plain,
    ...(Object.fromEntries(Object.entries(json).map(([k, v]) => [k, JSON.stringify(v)])) as Record<
      keyof typeof json,
      string
    >),
  };
}

async function create({ now }: ClientDeps, trx: Trx, client_id: string, columns: Columns): Promise<Client> {
  const created_at = now();
  return insertClient(trx, { id: uuidv7(), client_id, ...asStored(columns), created_at, updated_at: created_at });
}

async function alter({ now }: ClientDeps, trx: Trx, existing: Client, columns: Columns) {
  const isSame = Object.entries(columns).every(([name, value]) =>
    isDeepStrictEqual(existing[name as keyof Columns], value),
  );
  if (isSame) return { client: existing, change: 'unchanged' as const };
  return {
    client: await updateClient(trx, existing.id, { ...asStored(columns), updated_at: now() }),
    change: 'updated' as const,
  };
}

type Secrets = { changed: boolean; made: { client_secret?: string } };

async function keepSecrets(
  deps: ClientDeps,
  trx: Trx,
  actor: Actor,
  { client, metadata, given }: { client: Client; metadata: Record<string, unknown>; given: string | undefined },
): Promise<Secrets> {
  if (!usesSecret(metadata)) return { changed: false, made: {} };
  const live = await liveSecrets(trx, client.id, deps.now());
  if (given === undefined) {
    if (live.length > 0) return { changed: false, made: {} };
    return { changed: true, made: { client_secret: await storeSecret(deps, trx, actor, { client }) } };
  }
  if (live.some((secret) => matchesSecret(deps.keys, secret, given))) return { changed: false, made: {} };
  await revokeSecrets(
    trx,
    live.filter(({ label }) => label === givenLabel).map(({ id }) => id),
    deps.now(),
  );
  await storeSecret(deps, trx, actor, { client, secret: given, label: givenLabel });
  return { changed: true, made: {} };
}

const givenLabel = 'configuration';

/** A secret of our making: `lk_cs_…`, 256 bits. */
export function createSecret(): string {
  return mintCredential('lk_cs_');
}

/** Compares a presented secret with a stored digest in constant time. */
export function matchesSecret(
  keys: ServerKeys,
  stored: { digest: Digest; pepper_id: number },
  presented: string,
): boolean {
  const pepper = keys.find(stored.pepper_id);
  return pepper !== undefined && sameDigest(stored.digest, keyedDigest(pepper.key, presented));
}

/**
 * Adds one more live secret beside the present ones, so that it can be rolled out before they are taken away.
 *
 * @returns the secret; shown once, stored nowhere
 * @throws Problem `not_found`; `conflict`: this client does not authenticate with a secret
 */
export async function addClientSecret(
  deps: ClientDeps,
  actor: Actor,
  { client_id, label, expires_at }: { client_id: string; label?: string | undefined; expires_at?: Date | undefined },
): Promise<string> {
  return deps.db.transaction().execute(async (trx) => {
    const client = await lockClient(trx, client_id);
    if (!client) throw notFound('client', client_id);
    if (!usesSecret(client.metadata)) throw conflict(`Client "${client_id}" does not authenticate with a secret.`);
    return storeSecret(deps, trx, actor, { client, label, expires_at });
  });
}

type NewSecret = { client: Client; secret?: string; label?: string | undefined; expires_at?: Date | undefined };

async function storeSecret({ keys, now }: ClientDeps, trx: Trx, actor: Actor, input: NewSecret): Promise<string> {
  const { client, secret = createSecret(), label, expires_at } = input;
  const pepper = keys.current('pepper');
  const created_at = now();
  const id = uuidv7();
  const digest = keyedDigest(pepper.key, secret);
  const columns = { label: label ?? null, expires_at: expires_at ?? null, created_at };
  await insertSecret(trx, { id, client_id: client.id, digest, pepper_id: pepper.id, ...columns });
  await appendEvent(trx, {
    actor,
    action: 'client.secret.created',
    target: { kind: 'client', id: client.client_id },
    details: { secret_id: id, label, expires_at },
    occurred_at: created_at,
  });
  return secret;
}

/**
 * Stops a client: it can no longer authenticate, and none of its tokens work from the next request on. Enabling it again
 * is `putClient` with `enabled: true`; tokens from before stay dead.
 *
 * @throws Problem `not_found`
 */
export async function disableClient(deps: ClientDeps, actor: Actor, client_id: string): Promise<Client> {
  return deps.db.transaction().execute(async (trx) => {
    const client = await lockClient(trx, client_id);
    if (!client) throw notFound('client', client_id);
    if (!client.enabled) return client;
    const disabled_at = deps.now();
    const disabled = await updateClient(trx, client.id, {
      enabled: false,
      tokens_valid_after: disabled_at,
      updated_at: disabled_at,
    });
    await record(trx, actor, 'disabled', disabled, disabled_at);
    return disabled;
  });
}

async function record(trx: Trx, actor: Actor, what: string, client: Client, occurred_at: Date): Promise<void> {
  const target = { kind: 'client', id: client.client_id };
  await appendEvent(trx, {
    actor,
    action: `client.${what}`,
    target,
    details: { type: client.type, enabled: client.enabled },
    occurred_at,
  });
}
