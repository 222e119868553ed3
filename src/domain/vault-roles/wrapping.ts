import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import {
  digest,
  generateCredential,
  parseCredential,
  type SealedPlace,
  seal,
  secretLength,
  unseal,
} from '../../platform/crypto/index.ts';
import { type Db, inTransaction, type Trx } from '../../platform/database/index.ts';
import type { Actor } from '../../platform/http/index.ts';
import { appendEvent } from '../audit/index.ts';
import { deleteWrapped, findWrapped, findWrappedByAccessor, insertWrapped, type WrappedRow } from './store.ts';

type Deps = { db: Db; now: () => Date };

export type Wrapped = { token: string; accessor: string; ttl_seconds: number; created_at: Date; creation_path: string };

const prefix = 'lk_wt_';

/** Stores a response for the holder of the returned token, who can open it once. Only the token opens it. */
export function wrap({ db, now }: Deps, content: Content): Promise<Wrapped> {
  return inTransaction(db, (trx) => insert(trx, content, now()));
}

type Content = { answer: unknown; ttl_seconds: number; creation_path: string };

async function insert(trx: Trx, { answer, ttl_seconds, creation_path }: Content, created_at: Date): Promise<Wrapped> {
  const token = generateCredential(prefix);
  const row = { digest: digest(token), creation_path, ttl_seconds, created_at };
  const sealed = seal(keyOf(token), placeOf(row), JSON.stringify(answer));
  const expires_at = new Date(created_at.getTime() + ttl_seconds * 1000);
  await insertWrapped(trx, { ...row, sealed, expires_at });
  return { token, accessor: accessorOf(row), ttl_seconds, created_at, creation_path };
}

function keyOf(token: string): KeyObject {
  return createSecretKey(Buffer.from(hkdfSync('sha256', token, '', 'latchkey wrapped answer', 32)));
}

const placeOf = ({ digest: of }: Pick<WrappedRow, 'digest'>): SealedPlace => [
  'vault_wrapped',
  'sealed',
  of.toString('hex'),
];
const accessorOf = ({ digest: of }: Pick<WrappedRow, 'digest'>) => of.toString('hex').slice(0, 24);

/** The data of a wrapped response that is known without opening it. */
export async function describeWrapped({ db, now }: Deps, token: string): Promise<WrappedRow | undefined> {
  return isWrappingToken(token) ? findWrapped(db, digest(token), now()) : undefined;
}

const accessorShape = /^[0-9a-f]{24}$/;

/** The same, by the accessor of its token. */
export async function findWrappedBy({ db, now }: Deps, accessor: string): Promise<WrappedRow | undefined> {
  return accessorShape.test(accessor) ? findWrappedByAccessor(db, accessor, now()) : undefined;
}

/** Deletes a wrapped response, which cannot be opened from then on. Repeating it changes nothing. */
export async function revokeWrapped({ db, now }: Deps, actor: Actor, { digest: of }: WrappedRow): Promise<void> {
  await inTransaction(db, async (trx) => {
    const occurred_at = now();
    const row = await deleteWrapped(trx, of, occurred_at);
    if (!row) return;
    const target = { kind: 'vault_wrapping', id: accessorOf(row) };
    const details = { creation_path: row.creation_path };
    await appendEvent(trx, { actor, action: 'vault.wrapping.revoked', target, details, occurred_at });
  });
}

const isWrappingToken = (token: string) => parseCredential(prefix, secretLength, token) !== undefined;

/**
 * Opens a wrapped response, once: if several do at the same time, one succeeds. @returns undefined: it was opened before, has expired, or
 * never existed
 */
export function unwrap({ db, now }: Deps, actor: Actor, token: string): Promise<{ answer: unknown } | undefined> {
  return inTransaction(db, (trx) => open(trx, actor, token, now()));
}

type Opened = { answer: unknown; row: WrappedRow };

async function open(trx: Trx, actor: Actor, token: string, occurred_at: Date): Promise<Opened | undefined> {
  if (!isWrappingToken(token)) return undefined;
  const row = await deleteWrapped(trx, digest(token), occurred_at);
  if (!row) return undefined;
  const target = { kind: 'vault_wrapping', id: accessorOf(row) };
  const details = { creation_path: row.creation_path };
  await appendEvent(trx, { actor, action: 'vault.unwrapped', target, details, occurred_at });
  return { answer: JSON.parse(unseal(keyOf(token), placeOf(row), row.sealed).toString()), row };
}

/** Moves a wrapped response to a new token, with the lifetime that it had at first. @returns undefined: as `unwrap` */
export function rewrap({ db, now }: Deps, actor: Actor, token: string): Promise<Wrapped | undefined> {
  return inTransaction(db, async (trx) => {
    const opened = await open(trx, actor, token, now());
    return opened && insert(trx, { ...opened.row, answer: opened.answer }, now());
  });
}
