import { createSecretKey, randomBytes } from 'node:crypto';
import { keyedDigest, type SealedPlace, seal, unseal } from '../../platform/crypto/index.ts';
import type { ServerKeys } from '../../platform/keys/index.ts';
import type { WebhookSecret } from './store.ts';

const prefix = 'whsec_';
const secretBytes = 32;

/** A new signing secret (Standard Webhooks): the text for the receiver, and its stored form. */
export function makeSecret(
  keys: ServerKeys,
  id: string,
): { secret: string; stored: Pick<WebhookSecret, 'key_id' | 'sealed'> } {
  const { id: key_id, key } = keys.current('webhook');
  const bytes = randomBytes(secretBytes);
  return { secret: `${prefix}${bytes.toString('base64')}`, stored: { key_id, sealed: seal(key, placeOf(id), bytes) } };
}

/**
 * The headers of a message (Standard Webhooks, symmetric `v1`), with a signature by every active secret, so that a receiver that knows
 * one of them can verify it.
 */
export async function signedHeaders(
  keys: ServerKeys,
  secrets: readonly WebhookSecret[],
  { id, sent_at, body }: { id: string; sent_at: Date; body: string },
): Promise<Record<string, string>> {
  await keys.ensure(secrets.map(({ key_id }) => key_id));
  const timestamp = String(Math.floor(sent_at.getTime() / 1000));
  const signatures = secrets.map((stored) => {
    const key = keys.find(stored.key_id)?.key;
    if (!key) throw new Error(`no server key ${stored.key_id}`);
    const secret = createSecretKey(unseal(key, placeOf(stored.id), stored.sealed));
    return `v1,${keyedDigest(secret, `${id}.${timestamp}.${body}`).toString('base64')}`;
  });
  return {
    'content-type': 'application/json',
    'user-agent': 'Latchkey',
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signatures.join(' '),
  };
}

const placeOf = (id: string): SealedPlace => ['webhook_secrets', 'sealed', id];
