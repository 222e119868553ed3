import { v7 as uuidv7 } from 'uuid';
import { type Digest, generateCredential, keyedDigest, sameDigest } from '../../platform/crypto/index.ts';
import { type Db, inTransaction, type Trx } from '../../platform/database/index.ts';
import { type Actor, conflict, notFound } from '../../platform/http/index.ts';
import type { ServerKeys } from '../../platform/keys/index.ts';
import { appendEvent } from '../audit/index.ts';
import { expiryByRisk } from '../credentials/index.ts';
import { mustBeAllowedWith } from './rights.ts';
import {
  type Client,
  type ClientSecret,
  expireSecretsAt,
  findClientOfSecret,
  findSecretByDigest,
  insertSecret,
  listSecrets,
  liveSecrets,
  lockClient,
  revokeSecrets,
} from './store.ts';

export type SecretDeps = { db: Db; now: () => Date; keys: ServerKeys };

/** The effect of a put on a client's secrets; `client_secret` is the generated one, shown once. */
type KeptSecrets = { changed: boolean; made: { client_secret?: string } };

/** `client_secret` is shown once; only a digest is stored. */
export type MadeSecret = {
  id: string;
  number: number;
  last_four: string | null;
  client_secret: string;
  expires_at: Date | null;
};

type AddedSecret = {
  client_id: string;
  /** A secret chosen by the operator; by default one is generated. */
  given?: string | undefined;
  label?: string | undefined;
  expires_at?: Date | undefined;
};

const secretMethods: ReadonlySet<unknown> = new Set(['client_secret_basic', 'client_secret_post']);
const fromConfiguration = 'configuration';

/** Whether a client that is registered with this `token_endpoint_auth_method` authenticates with a secret of ours. */
export function isSecretMethod(method: unknown): boolean {
  return secretMethods.has(method);
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
 * Adds a secret to a client. Its other secrets remain valid, so that the new one can be deployed before they are revoked.
 *
 * @returns the secret; shown once, only a digest is stored
 * @throws Problem `not_found`; `conflict`: the client does not authenticate with a secret, or has too many; `forbidden`: the
 *   client has a permission that the actor does not hold
 */
export async function addClientSecret(deps: SecretDeps, actor: Actor, input: AddedSecret): Promise<MadeSecret> {
  const { client_id, ...secret } = input;
  return inTransaction(deps.db, async (trx) => {
    const client = await lockOpenable(trx, deps, actor, input);
    return storeSecret(trx, deps, actor, { client, ...secret });
  });
}

/**
 * Creates a new secret. The previous ones are accepted until the overlap ends.
 *
 * @throws Problem as `addClientSecret`
 */
export async function rotateClientSecret(
  deps: SecretDeps,
  actor: Actor,
  { client_id, overlapSeconds, ...secret }: AddedSecret & { overlapSeconds: number },
): Promise<MadeSecret & { previous_expires_at: Date }> {
  return inTransaction(deps.db, async (trx) => {
    const client = await lockOpenable(trx, deps, actor, { client_id, expires_at: secret.expires_at });
    const occurred_at = deps.now();
    const previous_expires_at = new Date(occurred_at.getTime() + overlapSeconds * 1000);
    const previous = await liveSecrets(trx, client.id, occurred_at);
    await expireSecretsAt(trx, client.id, previous_expires_at);
    const made = await storeSecret(trx, deps, actor, { client, ...secret });
    const target = { kind: 'client', id: client_id };
    const details = { secret_id: made.id, previous: previous.map(({ id }) => id), previous_expires_at };
    await appendEvent(trx, { actor, action: 'client.secret.rotated', target, details, occurred_at });
    return { ...made, previous_expires_at };
  });
}

/**
 * Revokes one secret: it is refused from the next request on. Repeating it changes and records nothing.
 *
 * @throws Problem `not_found`
 */
export async function revokeClientSecret(
  deps: Pick<SecretDeps, 'db' | 'now'>,
  actor: Actor,
  { client_id, secret_id }: { client_id: string; secret_id: string },
): Promise<void> {
  await inTransaction(deps.db, async (trx) => {
    const client = await lockClient(trx, client_id);
    const secret = client && (await listSecrets(trx, client.id)).find(({ id }) => id === secret_id);
    if (!client || !secret) throw notFound('client secret', secret_id);
    if (!secret.revoked_at) await endSecrets(trx, deps, actor, { client, ids: [secret_id] });
  });
}

/**
 * Revokes one secret by its id alone. Repeating it changes nothing.
 *
 * @throws Problem `not_found`
 */
export async function revokeSecretById(deps: Pick<SecretDeps, 'db' | 'now'>, actor: Actor, id: string): Promise<void> {
  const client_id = await findClientOfSecret(deps.db, id);
  if (client_id === undefined) throw notFound('client secret', id);
  await revokeClientSecret(deps, actor, { client_id, secret_id: id });
}

/**
 * Sets the expiry of some secrets of a client, unless they expire earlier. The caller decides and records it in its transaction.
 *
 * @returns the number of secrets
 */
export async function expireClientSecrets(
  trx: Trx,
  { client_id, secret_ids, ends_at }: { client_id: string; secret_ids: readonly string[]; ends_at: Date },
): Promise<number> {
  const client = await lockClient(trx, client_id);
  return client ? expireSecretsAt(trx, client.id, ends_at, secret_ids) : 0;
}

const prefix = 'lk_cs_';

/** Whether a text has the form of a generated secret; a secret that an operator chose can have any form. */
export const isGenerated = (text: string): boolean => text.startsWith(prefix);

/** The id of the active client secret with this value; undefined: there is none. */
export async function findLiveSecret({ db, keys, now }: SecretDeps, value: string): Promise<string | undefined> {
  const digests = keys.all('pepper').map(({ key }) => keyedDigest(key, value));
  return findSecretByDigest(db, digests, now());
}

const mostSecrets = 10;

async function lockOpenable(
  trx: Trx,
  { now }: SecretDeps,
  actor: Actor,
  { client_id, expires_at }: Pick<AddedSecret, 'client_id' | 'expires_at'>,
): Promise<Client> {
  const client = await lockClient(trx, client_id);
  if (!client) throw notFound('client', client_id);
  if (!usesSecret(client)) throw conflict(`Client "${client_id}" does not authenticate with a secret.`);
  await mustBeAllowedWith(trx, { now, actor, client_id, client, secret: { until: expires_at ?? null } });
  if ((await liveSecrets(trx, client.id, now())).length >= mostSecrets)
    throw conflict(`Client "${client_id}" has ${mostSecrets} active secrets: revoke one first.`);
  return client;
}

/** Ensures that a client that needs a secret has one: the given one, or a generated one if none is active. */
export async function keepSecrets(
  trx: Trx,
  deps: SecretDeps,
  actor: Actor,
  { client, given, live }: { client: Client; given: string | undefined; live: readonly ClientSecret[] },
): Promise<KeptSecrets> {
  if (!usesSecret(client)) return { changed: false, made: {} };
  if (given === undefined) {
    if (live.length > 0) return { changed: false, made: {} };
    const { client_secret } = await storeSecret(trx, deps, actor, { client });
    return { changed: true, made: { client_secret } };
  }
  if (!isNewSecret(deps, live, given)) return { changed: false, made: {} };
  const replaced = live.filter(({ label }) => label === fromConfiguration).map(({ id }) => id);
  await endSecrets(trx, deps, actor, { client, ids: replaced });
  await storeSecret(trx, deps, actor, { client, given, label: fromConfiguration });
  return { changed: true, made: {} };
}

/** Whether a given secret is not yet a live secret of a client: applying the same configuration again adds none. */
export function isNewSecret(
  { keys }: Pick<SecretDeps, 'keys'>,
  live: readonly ClientSecret[],
  given: string | undefined,
): boolean {
  return given !== undefined && !live.some((secret) => matchesSecret(keys, secret, given));
}

function usesSecret({ metadata }: Pick<Client, 'metadata'>): boolean {
  return isSecretMethod(metadata.token_endpoint_auth_method);
}

type NewSecret = { client: Client } & Omit<AddedSecret, 'client_id'>;

async function storeSecret(trx: Trx, { keys, now }: SecretDeps, actor: Actor, input: NewSecret): Promise<MadeSecret> {
  const { client, given, label } = input;
  const secret = given ?? generateCredential(prefix);
  // The last four characters of a chosen secret would help to guess it.
  const last_four = given === undefined ? secret.slice(-4) : null;
  const pepper = keys.current('pepper');
  const created_at = now();
  const expires_at = input.expires_at ?? expiryOf(client, { given, now: created_at });
  const id = uuidv7();
  const digest = keyedDigest(pepper.key, secret);
  const columns = { label: label ?? null, expires_at, created_at, last_four };
  const number = await insertSecret(trx, { id, client_id: client.id, digest, pepper_id: pepper.id, ...columns });
  await appendEvent(trx, {
    actor,
    action: 'client.secret.created',
    target: { kind: 'client', id: client.client_id },
    details: { secret_id: id, number, label, expires_at: expires_at ?? undefined },
    occurred_at: created_at,
  });
  return { id, number, last_four, client_secret: secret, expires_at };
}

/** A chosen secret does not expire: applying the same configuration again would not renew it. */
function expiryOf({ risk }: Client, { given, now }: { given: string | undefined; now: Date }): Date | null {
  return risk === null || given !== undefined ? null : expiryByRisk(risk, now);
}

async function endSecrets(
  trx: Trx,
  { now }: Pick<SecretDeps, 'now'>,
  actor: Actor,
  { client, ids }: { client: Client; ids: string[] },
): Promise<void> {
  const occurred_at = now();
  const target = { kind: 'client', id: client.client_id };
  await revokeSecrets(trx, ids, occurred_at);
  for (const secret_id of ids) {
    await appendEvent(trx, { actor, action: 'client.secret.revoked', target, details: { secret_id }, occurred_at });
  }
}
