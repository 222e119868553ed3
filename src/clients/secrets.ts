import { v7 as uuidv7 } from 'uuid';
import { appendEvent } from '../audit/index.ts';
import { type Digest, keyedDigest, mintCredential, sameDigest } from '../platform/crypto/index.ts';
import type { Db, Trx } from '../platform/database/index.ts';
import { type Actor, conflict, notFound } from '../platform/http/index.ts';
import type { ServerKeys } from '../platform/keys/index.ts';
import { type Client, insertSecret, liveSecrets, lockClient, revokeSecrets } from './store.ts';

export type SecretDeps = { db: Db; now: () => Date; keys: ServerKeys };

/** What a put did to a client's secrets; `client_secret` is the one made here: shown once, stored nowhere. */
type KeptSecrets = { changed: boolean; made: { client_secret?: string } };

type AddedSecret = {
  client_id: string;
  /** One of the operator's own choice; otherwise one is made. */
  given?: string | undefined;
  label?: string | undefined;
  expires_at?: Date | undefined;
};

const secretMethods = ['client_secret_basic', 'client_secret_post'];
const fromConfiguration = 'configuration';

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
  deps: SecretDeps,
  actor: Actor,
  { client_id, ...secret }: AddedSecret,
): Promise<string> {
  return deps.db.transaction().execute(async (trx) => {
    const client = await lockClient(trx, client_id);
    if (!client) throw notFound('client', client_id);
    if (!usesSecret(client)) throw conflict(`Client "${client_id}" does not authenticate with a secret.`);
    return storeSecret(trx, deps, actor, { client, ...secret });
  });
}

/** Sees to it that a client that needs a secret has one: the given one, or one that is made where none is live. */
export async function keepSecrets(
  trx: Trx,
  deps: SecretDeps,
  actor: Actor,
  { client, given }: { client: Client; given: string | undefined },
): Promise<KeptSecrets> {
  if (!usesSecret(client)) return { changed: false, made: {} };
  const live = await liveSecrets(trx, client.id, deps.now());
  if (given === undefined) {
    if (live.length > 0) return { changed: false, made: {} };
    return { changed: true, made: { client_secret: await storeSecret(trx, deps, actor, { client }) } };
  }
  if (live.some((secret) => matchesSecret(deps.keys, secret, given))) return { changed: false, made: {} };
  const replaced = live.filter(({ label }) => label === fromConfiguration).map(({ id }) => id);
  await endSecrets(trx, deps, actor, { client, ids: replaced });
  await storeSecret(trx, deps, actor, { client, given, label: fromConfiguration });
  return { changed: true, made: {} };
}

function usesSecret({ metadata }: Pick<Client, 'metadata'>): boolean {
  return secretMethods.includes(String(metadata.token_endpoint_auth_method));
}

type NewSecret = { client: Client } & Omit<AddedSecret, 'client_id'>;

async function storeSecret(trx: Trx, { keys, now }: SecretDeps, actor: Actor, input: NewSecret): Promise<string> {
  const { client, given, label, expires_at } = input;
  const secret = given ?? mintCredential('lk_cs_');
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

async function endSecrets(
  trx: Trx,
  { now }: SecretDeps,
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
