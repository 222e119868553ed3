import { type Db, inTransaction, type Trx } from '../../platform/database/index.ts';
import { type Actor, Problem, system } from '../../platform/http/index.ts';
import type { JobHandler, Jobs } from '../../platform/jobs/index.ts';
import type { Logger } from '../../platform/logging/index.ts';
import { appendEvent } from '../audit/index.ts';
import { rewrapKey } from './envelope.ts';
import type { Keyring } from './keyring.ts';
import { makeTerm } from './seal-keys.ts';
import { insertTerm } from './seal-store.ts';
import {
  deleteUnusedTerms,
  type EarlierVersion,
  findCurrentTerm,
  hasEarlierTerms,
  lockEarlierVersions,
  lockNextTerm,
  type Position,
  setVersionKey,
  type TermState,
} from './term-store.ts';
import type { Vault } from './vault.ts';

export type TermDeps = { db: Db; now: () => Date; vault: Vault; jobs: Pick<Jobs, 'send'> };

/**
 * Creates the key of a new term. New versions are sealed under it at once, on every node; a job seals the keys of the present ones under
 * it, and then removes the earlier terms.
 *
 * @returns the number of the term
 * @throws Problem 503 `sealed`
 */
export async function rotateTerm({ db, now, vault, jobs }: TermDeps, actor: Actor): Promise<number> {
  const made = await vault.inOpenTransaction(db, async (trx, { root }) => {
    const term = await lockNextTerm(trx);
    const created_at = now();
    await insertTerm(trx, { term, sealed_key: makeTerm(root, term), created_at });
    await record(trx, actor, { action: 'vault.rotated', details: { term }, occurred_at: created_at });
    await jobs.send(trx, 'rewrap-secrets', {});
    return term;
  });
  vault.forget();
  return made;
}

/** The current term; undefined: the vault is not initialized. */
export function describeTerm({ db }: Pick<TermDeps, 'db'>): Promise<TermState | undefined> {
  return findCurrentTerm(db);
}

type Recorded = { action: 'vault.rotated' | 'vault.rewrapped'; details: Record<string, unknown>; occurred_at: Date };

async function record(trx: Trx, actor: Actor, { action, details, occurred_at }: Recorded): Promise<void> {
  await appendEvent(trx, { actor, action, target: { kind: 'vault', id: 'terms' }, details, occurred_at });
}

export type RewrapDeps = TermDeps & { log: Logger };

const batch = 200;
const passedOnAfterSeconds = 5;
// The job runs again automatically, ten minutes later.
const mostPassedOn = 60;

/**
 * The job that seals the keys of versions under the current term. Each batch commits separately, so that a node that stops loses nothing.
 */
export function rewrapSecrets(deps: RewrapDeps): JobHandler {
  return async ({ passed_on = 0 }) => {
    if (!(await hasEarlierTerms(deps.db))) return;
    try {
      await sweep(deps);
    } catch (error) {
      if (!(error instanceof Problem && error.type === 'sealed')) throw error;
      await passOn(deps, Number(passed_on) + 1);
    }
  };
}

/** Leaves the job to a node whose vault is open: the node that takes it next may be one. */
async function passOn({ db, jobs }: RewrapDeps, passed_on: number): Promise<void> {
  if (passed_on > mostPassedOn) return;
  await inTransaction(db, (trx) => jobs.send(trx, 'rewrap-secrets', { passed_on }, passedOnAfterSeconds));
}

async function sweep({ db, now, vault, log }: RewrapDeps): Promise<void> {
  let rewrapped = 0;
  let after: Position | undefined;
  do {
    const done = await vault.inOpenTransaction(db, (trx, keyring) => rewrapBatch(trx, keyring, { after, log }));
    rewrapped += done.count;
    after = done.last;
  } while (after);
  const removed = await vault.inOpenTransaction(db, async (trx, { current }) => {
    const terms = await deleteUnusedTerms(trx, current.term);
    const details = { term: current.term, removed: terms, versions: rewrapped };
    if (terms.length > 0) await record(trx, system, { action: 'vault.rewrapped', details, occurred_at: now() });
    return terms;
  });
  if (removed.length > 0) vault.forget();
}

type Sweep = { after: Position | undefined; log: Logger };

async function rewrapBatch(trx: Trx, keyring: Keyring, { after, log }: Sweep) {
  const { current } = keyring;
  const versions = await lockEarlierVersions(trx, { term: current.term, after, limit: batch });
  let count = 0;
  for (const version of versions) {
    const key = keyOf(keyring, version);
    if (key) await setVersionKey(trx, version, key);
    else log.error({ path: version.path, version: version.number }, 'a version of a secret cannot be decrypted');
    count += key ? 1 : 0;
  }
  return { count, last: versions.length === batch ? versions.at(-1) : undefined };
}

/** Undefined: its row was changed outside of Latchkey. It keeps its term. */
function keyOf({ current, terms }: Keyring, { term, sealed_key, ...place }: EarlierVersion) {
  const key = terms.get(term);
  try {
    return key && rewrapKey({ from: { term, key }, to: current }, place, sealed_key);
  } catch {
    return undefined;
  }
}
