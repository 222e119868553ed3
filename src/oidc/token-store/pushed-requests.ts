import { digest, type SealedPlace } from '../../platform/crypto/index.ts';
import { currentUnit, LostRaceError } from '../token-transaction/index.ts';
import { type ModelStore, openPayload, type Payload, type StoreDeps, sealPayload } from './models.ts';
import { type PushedRequestRecord, readPushedRequest } from './reads.ts';

const placeOf = (key: Buffer): SealedPlace => ['pushed_requests', 'sealed', key.toString('hex')];

/** Pushed authorization requests (RFC 9126): sealed, for they hold all parameters; used once. */
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
