import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { type SealedPlace, seal, unseal } from '../crypto/index.ts';
import { type Db, inTransaction, type Trx } from '../database/index.ts';

const purposes = [
  'cookie',
  'successor',
  'interaction',
  'csrf',
  'dpop-nonce',
  'user-code',
  'pepper',
  'audit',
  'webhook',
  'mail',
  'recovery',
  'sign-up',
  'sign-in-code',
  'idempotency',
  'secret',
  'factor',
  'sign-in',
  'provider',
] as const;

/** What a server key is for; no key serves two purposes. */
export type KeyPurpose = (typeof purposes)[number];

export type ServerKey = { id: number; key: KeyObject };

/** The installation's random 32-byte keys, unsealed. */
export class ServerKeys {
  readonly #db: Db;
  readonly #rootKey: KeyObject;
  #keys = new Map<number, ServerKey & { purpose: string }>();

  constructor(db: Db, rootKey: KeyObject) {
    this.#db = db;
    this.#rootKey = rootKey;
  }

  /** The newest key of a purpose: the one to use for something new. */
  current(purpose: KeyPurpose): ServerKey {
    const newest = this.all(purpose)[0];
    if (!newest) throw new Error(`no server key for ${purpose}`);
    return newest;
  }

  /** Every key of a purpose, newest first. */
  all(purpose: KeyPurpose): ServerKey[] {
    return [...this.#keys.values()].filter((key) => key.purpose === purpose).sort((a, b) => b.id - a.id);
  }

  /** The key a stored row names. */
  find(id: number): ServerKey | undefined {
    return this.#keys.get(id);
  }

  /** The key that a stored row names, also one that another node created since. @throws Error: there is none */
  async named(id: number): Promise<ServerKey> {
    await this.ensure([id]);
    const key = this.find(id);
    if (!key) throw new Error(`there is no server key ${id}, which a row in the database names`);
    return key;
  }

  /** Ensures that `find` has the keys that stored rows name, also those that another node created since. */
  async ensure(ids: readonly number[]): Promise<void> {
    if (!ids.every((id) => this.#keys.has(id))) await this.reload();
  }

  /** Reads the keys again: another node may have created one. */
  async reload(): Promise<void> {
    const rows = await this.#db.selectFrom('server_keys').select(['id', 'purpose', 'sealed']).orderBy('id').execute();
    this.#keys = new Map(
      rows.map(({ id, purpose, sealed }) => [
        id,
        { id, purpose, key: createSecretKey(unseal(this.#rootKey, placeOf(purpose), sealed)) },
      ]),
    );
  }
}

/**
 * Loads the server keys, and creates missing ones under a lock.
 *
 * @throws WrongKeyError when they were sealed under another root key
 */
export async function openServerKeys(deps: { db: Db; rootKey: KeyObject; now: () => Date }): Promise<ServerKeys> {
  const { db, rootKey, now } = deps;
  const keys = new ServerKeys(db, rootKey);
  await keys.reload();
  if (purposes.every((purpose) => keys.all(purpose).length > 0)) return keys;
  await inTransaction(db, async (trx) => {
    await sql`select pg_advisory_xact_lock(hashtext('latchkey server keys'))`.execute(trx);
    await addMissing(trx, rootKey, now());
  });
  await keys.reload();
  return keys;
}

async function addMissing(trx: Trx, rootKey: KeyObject, created_at: Date): Promise<void> {
  const present = await trx.selectFrom('server_keys').select('purpose').execute();
  const missing = purposes.filter((purpose) => !present.some((row) => row.purpose === purpose));
  for (const purpose of missing) {
    const sealed = seal(rootKey, placeOf(purpose), randomBytes(32));
    await trx.insertInto('server_keys').values({ purpose, sealed, created_at }).execute();
  }
}

function placeOf(purpose: string): SealedPlace {
  return ['server_keys', 'sealed', purpose];
}
