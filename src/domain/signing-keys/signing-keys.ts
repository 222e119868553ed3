import type { KeyObject } from 'node:crypto';
import { type Db, inTransaction } from '../../platform/database/index.ts';
import { type Actor, conflict, system } from '../../platform/http/index.ts';
import { appendEvent } from '../audit/index.ts';
import { makeSigningKey, type SigningAlg, signingAlgs } from './signing-key.ts';
import { insertSigningKey, listSigningKeys, lockSigningKeys, retireOlderKeys, type SigningKeyRow } from './store.ts';

export type SigningKeysDeps = { db: Db; rootKey: KeyObject; now: () => Date };

export type RotateSigningKeyInput = {
  alg: SigningAlg;
  /** How long the new key is published before it signs: longer than verifiers cache the JWKS. */
  activationSeconds: number;
  /** How long the old key stays published after the new one signs: longer than the longest token it signed. */
  retirementSeconds: number;
  /** Someone else may have the old key: the new one signs at once, and the others of its algorithm are no longer published. */
  leaked?: boolean;
};

const second = 1000;

/**
 * Creates a key for each algorithm that has none: in a new installation, and after an upgrade from a version with fewer algorithms.
 * It signs at once; running nodes publish it within a second.
 */
export async function ensureSigningKeys({ db, rootKey, now }: SigningKeysDeps): Promise<void> {
  const missing = algsWithoutKey(await listSigningKeys(db));
  if (missing.length === 0) return;
  const made = await Promise.all(missing.map(async (alg) => ({ alg, ...(await makeSigningKey(alg)) })));
  await inTransaction(db, async (trx) => {
    const stillMissing = algsWithoutKey(await lockSigningKeys(trx));
    for (const key of made.filter(({ alg }) => stillMissing.includes(alg))) {
      const created_at = now();
      await insertSigningKey(trx, rootKey, { ...key, created_at, signs_from: created_at });
      await recordMade(trx, system, key, created_at);
    }
  });
}

/** A key with an expiry does not count: none would sign after it. */
function algsWithoutKey(keys: readonly SigningKeyRow[]): SigningAlg[] {
  return signingAlgs.filter((alg) => !keys.some((key) => key.alg === alg && key.retires_at === null));
}

/**
 * Publishes a new key of an algorithm now, signs with it later, and removes the old one still later. It needs no restart: every node
 * notices within a second. After a leak the old keys are removed at once: every verifier that fetches the key set again refuses their
 * tokens.
 *
 * @throws Problem `conflict`: a new key of this algorithm is already scheduled
 */
export async function rotateSigningKey(
  deps: SigningKeysDeps,
  actor: Actor,
  input: RotateSigningKeyInput,
): Promise<SigningKeyRow & { previous_expires_at: Date }> {
  const { db, rootKey, now } = deps;
  const made = await makeSigningKey(input.alg);
  return inTransaction(db, async (trx) => {
    const created_at = now();
    const waiting = (await lockSigningKeys(trx)).find(
      ({ alg, signs_from }) => alg === input.alg && signs_from > created_at,
    );
    if (waiting && !input.leaked)
      throw conflict(
        `The ${input.alg} key ${waiting.kid} signs from ${waiting.signs_from.toISOString()}; rotate again after that.`,
      );
    const [activation, retirement] = input.leaked ? [0, 0] : [input.activationSeconds, input.retirementSeconds];
    const signs_from = new Date(created_at.getTime() + activation * second);
    const previous_expires_at = new Date(signs_from.getTime() + retirement * second);
    await insertSigningKey(trx, rootKey, { ...made, alg: input.alg, created_at, signs_from });
    await retireOlderKeys(trx, { alg: input.alg, kid: made.kid }, previous_expires_at);
    await recordMade(trx, actor, { alg: input.alg, kid: made.kid, leaked: input.leaked }, created_at);
    return { kid: made.kid, alg: input.alg, created_at, signs_from, retires_at: null, previous_expires_at };
  });
}

async function recordMade(
  trx: Parameters<typeof appendEvent>[0],
  actor: Actor,
  { kid, alg, leaked }: { kid: string; alg: string; leaked?: boolean | undefined },
  occurred_at: Date,
): Promise<void> {
  await appendEvent(trx, {
    actor,
    action: 'signing_key.created',
    target: { kind: 'signing_key', id: kid },
    details: { alg, leaked },
    occurred_at,
  });
}
