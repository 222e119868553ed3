import type { Insertable } from 'kysely';
import type { Database } from '../../../../db/schema.ts';
import type { ProviderSession } from '../../../domain/identity-providers/index.ts';
import { type Digest, digest, type SealedPlace } from '../../../platform/crypto/index.ts';
import type { Db, Trx } from '../../../platform/database/index.ts';
import { currentUnit, LostRaceError } from '../unit-of-work/index.ts';
import type { ModelStore, Payload } from './model-store.ts';
import { openPayload, type StoreDeps, sealPayload } from './models.ts';
import { type InteractionRecord, readInteraction } from './reads.ts';

type Row = Insertable<Database['interactions']>;

/** Interactions contain raw session ids and request parameters: the whole payload is sealed. */
export function interactionStore({ db, reader, keys }: StoreDeps): ModelStore {
  return {
    find: async (id) => {
      const key = digest(id);
      const record = await remembered(key, () => reader.find<InteractionRecord>(readInteraction, key));
      if (!record) return undefined;
      const payload = openPayload(keys, placeOf(key), record.sealed) as Payload;
      noteSignIn(payload.result);
      return { ...payload, jti: id };
    },
    upsert: async (id, { jti: _, ...payload }) => {
      const key = digest(id);
      const known = await remembered(key, async () => undefined);
      const sealed = sealPayload(keys, placeOf(key), payload as Payload);
      const row = { digest: key, sealed, expires_at: new Date(Number(payload.exp) * 1000) };
      if (!known) currentUnit().openRows.push('interaction');
      const write = (by: Db) => (known ? updateInteraction(by, row) : insertInteraction(by, row));
      currentUnit().operations.push(Object.assign((trx: Trx) => write(trx), { alone: () => write(db) }));
      return undefined;
    },
    destroy: async (id) => {
      currentUnit().finishedInteractions += 1;
      currentUnit().operations.push(async (trx) => {
        const { numDeletedRows } = await trx
          .deleteFrom('interactions')
          .where('digest', '=', digest(id))
          .executeTakeFirst();
        // A form was submitted twice: only one submission may issue a code.
        if (numDeletedRows === 0n) throw alreadyFinished();
      });
      return undefined;
    },
  };
}

type SignIn = { accountId?: unknown; authenticated_at_ms?: unknown; user_epoch?: unknown; by?: StoredProvider };
/** As JSON represents it. */
type StoredProvider = Omit<ProviderSession, 'proven_at'> & { proven_at: string | null };

/** What `finishSignIn` passes to the resumed request; a consent also contains the earlier sign-in, and is not one. */
function noteSignIn(result: unknown): void {
  const { login, consent } = (result ?? {}) as { login?: SignIn; consent?: unknown };
  if (consent || typeof login?.authenticated_at_ms !== 'number') return;
  currentUnit().authenticated = {
    user_id: String(login.accountId),
    user_epoch: typeof login.user_epoch === 'number' ? login.user_epoch : null,
    at: new Date(login.authenticated_at_ms),
    by: login.by && { ...login.by, proven_at: login.by.proven_at === null ? null : new Date(login.by.proven_at) },
  };
}

function remembered(key: Digest, read: () => Promise<InteractionRecord | undefined>) {
  return currentUnit().remember(`interaction:${key.toString('hex')}`, read);
}

async function insertInteraction(db: Db, row: Row): Promise<void> {
  const { digest: _, ...changed } = row;
  await db
    .insertInto('interactions')
    .values(row)
    .onConflict((conflict) => conflict.column('digest').doUpdateSet(changed))
    .execute();
}

/** The row must still exist: otherwise the later of two answers to one page would restore a completed interaction. */
async function updateInteraction(db: Db, { digest, ...changed }: Row): Promise<void> {
  const query = db.updateTable('interactions').set(changed).where('digest', '=', digest);
  const { numUpdatedRows } = await query.executeTakeFirst();
  if (numUpdatedRows === 0n) throw alreadyFinished();
}

function alreadyFinished(): LostRaceError {
  return new LostRaceError('the interaction was already finished');
}

function placeOf(key: Digest): SealedPlace {
  return ['interactions', 'sealed', key.toString('hex')];
}
