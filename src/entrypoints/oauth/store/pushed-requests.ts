import { errors } from 'oidc-provider';
import { digest, type SealedPlace } from '../../../platform/crypto/index.ts';
import { currentUnit, LostRaceError } from '../unit-of-work/index.ts';
import { isAnonymousClient } from './anonymous-client.ts';
import type { ModelStore, Payload } from './model-store.ts';
import { openPayload, type StoreDeps, sealPayload } from './models.ts';
import { type PushedRequestRecord, readPushedRequest } from './reads.ts';

const placeOf = (key: Buffer): SealedPlace => ['pushed_requests', 'sealed', key.toString('hex')];

// The maximum size of an authorization request in a browser: a request line with its headers has 16 KiB. Parameters are stored as a JWT,
// which makes them a third longer.
const longestAnonymous = (16 * 1024 * 4) / 3 + 1024;

/** @throws InvalidRequest: it is larger than what clients without authentication may store */
function mustBeShort(payload: object): void {
  if (JSON.stringify(payload).length > longestAnonymous)
    throw new errors.InvalidRequest('a pushed request of a client that does not authenticate may have 16 KiB');
}

/** Pushed authorization requests (RFC 9126): sealed, because they contain all parameters; used once. */
export function pushedRequestStore(deps: StoreDeps): ModelStore {
  return {
    find: async (id) => {
      const key = digest(id);
      const record = await currentUnit().remember(`pushed request:${key.toString('hex')}`, () =>
        deps.reader.find<PushedRequestRecord>(readPushedRequest, key),
      );
      if (!record) return undefined;
      const consumed = record.consumed_at ? { consumed: true } : {};
      return { ...openPayload(deps.keys, placeOf(key), record.sealed), ...consumed, jti: id } as Payload;
    },
    upsert: async (id, payload) => {
      if (isAnonymousClient()) {
        mustBeShort(payload);
        currentUnit().openRows.push('pushed_request');
      }
      const key = digest(id);
      const sealed = sealPayload(deps.keys, placeOf(key), payload as Payload);
      const expires_at = new Date(Number(payload.exp) * 1000);
      currentUnit().operations.push(async (trx) => {
        await trx
          .insertInto('pushed_requests')
          .values({ digest: key, sealed, expires_at, consumed_at: null })
          .execute();
      });
      return undefined;
    },
    consume: async (id) => {
      const consumed_at = deps.now();
      currentUnit().operations.push(async (trx) => {
        const { numUpdatedRows } = await trx
          .updateTable('pushed_requests')
          .set({ consumed_at })
          .where('digest', '=', digest(id))
          .where('consumed_at', 'is', null)
          .executeTakeFirst();
        if (numUpdatedRows === 0n) throw new LostRaceError('the pushed request was already used');
      });
      return undefined;
    },
  };
}
