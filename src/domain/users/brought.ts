import { v7 as uuidv7 } from 'uuid';
import type { Trx } from '../../platform/database/index.ts';
import type { Actor } from '../../platform/http/index.ts';
import type { ServerKeys } from '../../platform/keys/index.ts';
import { appendEvent } from '../audit/index.ts';
import { addIdentity, type Identity } from '../identities/index.ts';
import { sealSecret } from './factors/one-time-codes.ts';
import { type CodeParameters, insertFactor } from './factors/store.ts';

/** What a new user brings from another system in addition to a password. */
export type Brought = {
  /** An authenticator app; the secret in Base32. */
  one_time_codes?: (CodeParameters & { secret: string }) | undefined;
  identities?: readonly Pick<Identity, 'issuer' | 'subject'>[];
};

/**
 * Adds what a new user brings, in the transaction that creates the user.
 *
 * @throws Problem `conflict`: an account at a provider is another user's
 */
export async function addBrought(
  trx: Trx,
  { keys, now }: { keys: ServerKeys; now: () => Date },
  actor: Actor,
  { user_id, one_time_codes, identities = [] }: Brought & { user_id: string },
): Promise<void> {
  const created_at = now();
  if (one_time_codes) {
    const { secret, ...parameters } = one_time_codes;
    const id = uuidv7();
    const sealed = sealSecret(keys, id, secret);
    await insertFactor(trx, {
      id,
      user_id,
      kind: 'totp',
      ...sealed,
      parameters: JSON.stringify(parameters),
      created_at,
    });
    const target = { kind: 'user', id: user_id };
    const details = { kind: 'totp', id };
    await appendEvent(trx, { actor, action: 'user.factor_added', target, details, occurred_at: created_at });
  }
  for (const account of identities)
    await addIdentity(trx, actor, { user_id, ...account, how: 'administrator', created_at });
}
