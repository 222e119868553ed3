import { AsyncLocalStorage } from 'node:async_hooks';
import { Kysely, type Transaction, type TransactionBuilder } from 'kysely';
import type { Database as Tables } from '../../../db/schema.ts';

const ambient = new AsyncLocalStorage<Transaction<Tables>>();

/** Lets the transactions that the work opens be this one, so that what surrounds it commits with it or not at all. */
export function joined<T>(trx: Transaction<Tables>, work: () => Promise<T>): Promise<T> {
  return ambient.run(trx, work);
}

/** Typed queries whose transactions join the one around them, where there is one. */
export class JoiningKysely extends Kysely<Tables> {
  override transaction(): TransactionBuilder<Tables> {
    const around = ambient.getStore();
    if (!around) return super.transaction();
    const builder = {
      execute: (work: (trx: Transaction<Tables>) => Promise<unknown>) => work(around),
      setIsolationLevel: () => builder,
    };
    return builder as never;
  }
}
