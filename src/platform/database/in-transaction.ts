import type { Db, Trx } from './open.ts';

/**
 * Does the work in one transaction: all of it is committed, or nothing. Given a `Trx`, the work is part of that transaction, so that
 * one verb can be a step of another and an answer is kept together with what it reports.
 */
export function inTransaction<T>(db: Db, work: (trx: Trx) => Promise<T>): Promise<T> {
  return isTrx(db) ? work(db) : db.transaction().execute(work);
}

function isTrx(db: Db): db is Trx {
  return db.isTransaction;
}
