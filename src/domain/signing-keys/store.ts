import type { KeyObject } from 'node:crypto';
import type { JWK } from 'jose';
import { type Sealed, type SealedPlace, seal, unseal } from '../../platform/crypto/index.ts';
import type { Db, Trx } from '../../platform/database/index.ts';
import type { SigningAlg } from './signing-key.ts';

export type SigningKeyState = 'pending' | 'active' | 'retiring' | 'retired';

export type SigningKeyRow = {
  kid: string;
  alg: string;
  created_at: Date;
  /** When it starts to sign, unless a newer key of its algorithm signs. */
  signs_from: Date;
  /** When it is no longer published; null while it has no successor. */
  retires_at: Date | null;
};

export type SigningKey = SigningKeyRow & { public_jwk: JWK; private_jwk: JWK };

/** The state of a key follows from the time only, so no job has to run and no crash can leave it inconsistent. */
export function stateOf(key: SigningKeyRow, all: readonly SigningKeyRow[], now: Date): SigningKeyState {
  if (key.retires_at && key.retires_at <= now) return 'retired';
  if (key.signs_from > now) return 'pending';
  const hasSuccessor = all.some(
    (other) => other.alg === key.alg && other.signs_from > key.signs_from && other.signs_from <= now,
  );
  return hasSuccessor ? 'retiring' : 'active';
}

export async function lockSigningKeys(trx: Trx): Promise<SigningKeyRow[]> {
  await trx.selectFrom('change_counter').select('position').forUpdate().execute();
  return listSigningKeys(trx);
}

/** All keys ever made, without their private parts, oldest first. */
export async function listSigningKeys(db: Db): Promise<SigningKeyRow[]> {
  const columns = ['kid', 'alg', 'created_at', 'signs_from', 'retires_at'] as const;
  return db.selectFrom('signing_keys').select(columns).orderBy('signs_from').execute();
}

/**
 * The keys that are published now.
 *
 * @throws WrongKeyError if they are sealed with another root key
 */
export async function loadSigningKeys(db: Db, rootKey: KeyObject, now: Date): Promise<SigningKey[]> {
  const rows = await db
    .selectFrom('signing_keys')
    .selectAll()
    .where((eb) => eb.or([eb('retires_at', 'is', null), eb('retires_at', '>', now)]))
    .orderBy('signs_from')
    .execute();
  return rows.map(({ sealed_private_jwk, public_jwk, ...row }) => ({
    ...row,
    public_jwk: public_jwk as JWK,
    private_jwk: JSON.parse(unseal(rootKey, placeOf(row.kid), sealed_private_jwk).toString()) as JWK,
  }));
}

export type NewSigningKey = {
  kid: string;
  alg: SigningAlg;
  public_jwk: JWK;
  private_jwk: JWK;
  created_at: Date;
  signs_from: Date;
};

export async function insertSigningKey(trx: Trx, rootKey: KeyObject, key: NewSigningKey): Promise<void> {
  const { private_jwk, public_jwk, ...row } = key;
  const sealed_private_jwk: Sealed = seal(rootKey, placeOf(key.kid), JSON.stringify(private_jwk));
  await trx
    .insertInto('signing_keys')
    .values({ ...row, public_jwk: JSON.stringify(public_jwk), sealed_private_jwk, retires_at: null })
    .execute();
}

export async function retireOlderKeys(trx: Trx, key: { alg: string; kid: string }, retires_at: Date): Promise<void> {
  await trx
    .updateTable('signing_keys')
    .set({ retires_at })
    .where('alg', '=', key.alg)
    .where('kid', '!=', key.kid)
    .where((eb) => eb.or([eb('retires_at', 'is', null), eb('retires_at', '>', retires_at)]))
    .execute();
}

function placeOf(kid: string): SealedPlace {
  return ['signing_keys', 'sealed_private_jwk', kid];
}
