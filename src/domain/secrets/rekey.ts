import { createSecretKey, randomBytes, randomUUID } from 'node:crypto';
import { seal, unseal } from '../../platform/crypto/index.ts';
import { type Db, inTransaction, type Trx } from '../../platform/database/index.ts';
import { type Actor, conflict, invalid } from '../../platform/http/index.ts';
import { appendEvent } from '../audit/index.ts';
import { rootPlace } from './seal-keys.ts';
import { findSeal, lockSeal } from './seal-store.ts';
import { listShareSets, proveShares, type ShareSet, setNextShares, setShares } from './share-sets.ts';
import { keyCheck, keyOfShares, type Share, shareDigest, splitKey } from './shares.ts';
import { UnsealProgress } from './unseal-progress.ts';

export type RekeyDeps = { db: Db; now: () => Date };

/** The number of shares, and how many of them open the vault. */
export type ShareCounts = { shares: number; threshold: number };

/** @throws Problem `invalid` */
export function mustBeCounts({ shares, threshold }: ShareCounts): void {
  if (threshold > shares) throw invalid('/threshold', 'must not be greater than the number of shares');
  if (shares > 1 && threshold === 1) throw invalid('/threshold', 'must be at least 2 where there are several shares');
}

type Attempt = ShareCounts & {
  actor: Actor;
  nonce: string;
  mustVerify: boolean;
  /** The present shares given so far. */
  given: UnsealProgress;
  /** The key of the new shares, and those of them that were confirmed. */
  pending?: { replacing: ShareSet; made: ShareSet; nonce: string; given: UnsealProgress };
};

export type RekeyState = ShareCounts & {
  nonce: string;
  progress: number;
  /** How many of the present shares are needed. */
  required: number;
  mustVerify: boolean;
  verification: { nonce: string; progress: number } | undefined;
};

/** The new shares, shown once. */
export type NewKeys = {
  keys: Buffer[];
  nonce: string;
  verification_nonce: string | undefined;
  /** Without verification: call it once the new shares were shown. From then on only they open the vault. */
  whenShown?: () => Promise<void>;
};

/**
 * Replaces the shares of a vault by new ones: enough of the present ones allow it. The present ones open the vault until the new ones were
 * received: with verification until enough of them were confirmed, otherwise until they were shown, or have opened the vault. So no shares
 * are lost if a process ends before its response. The attempt is in the memory of this node alone, and ends with it.
 */
export class Rekey {
  readonly #deps: RekeyDeps;
  #attempt: Attempt | undefined;

  constructor(deps: RekeyDeps) {
    this.#deps = deps;
  }

  /** Undefined: there is no attempt on this node. */
  async state(): Promise<RekeyState | undefined> {
    if (!this.#attempt) return undefined;
    const { nonce, shares, threshold, mustVerify, given, pending } = this.#attempt;
    const required = given.setOf(await this.#sets())?.threshold ?? 0;
    const verification = pending && { nonce: pending.nonce, progress: pending.given.count };
    return { nonce, shares, threshold, mustVerify, progress: given.count, required, verification };
  }

  /** @throws Problem `invalid`; `conflict`: there is an attempt already, or shares do not open the vault */
  async start(actor: Actor, { mustVerify, ...counts }: ShareCounts & { mustVerify: boolean }): Promise<void> {
    mustBeCounts(counts);
    await this.#sets();
    if (this.#attempt) throw conflict('rekey already in progress');
    this.#attempt = { ...counts, actor, mustVerify, nonce: randomUUID(), given: new UnsealProgress() };
  }

  /** Cancels the attempt; the present shares stay. */
  cancel(): void {
    this.#attempt?.given.reset();
    this.#attempt?.pending?.given.reset();
    this.#attempt = undefined;
  }

  /**
   * Accepts a present share.
   *
   * @returns the new shares, once there are enough
   * @throws Problem `invalid`: the error of the share; `conflict`: there is no such attempt
   */
  async takeShare({ nonce, text }: { nonce: string; text: string }): Promise<NewKeys | undefined> {
    const attempt = this.#attemptOf(nonce);
    if (attempt.pending) throw conflict('the new shares wait to be verified');
    const enough = attempt.given.take(text, await this.#sets());
    if (!enough) return undefined;
    const { made, keys } = await replaced(enough, attempt);
    if (!attempt.mustVerify) {
      await this.#commit(attempt, { replacing: enough.set, made, isProved: false });
      return { keys, nonce, verification_nonce: undefined, whenShown: () => this.#revokeEarlier(attempt, made) };
    }
    const pending = { replacing: enough.set, made, nonce: randomUUID(), given: new UnsealProgress() };
    attempt.pending = pending;
    return { keys, nonce, verification_nonce: pending.nonce };
  }

  /**
   * Accepts a new share; with the last required one the new shares replace the present ones.
   *
   * @returns whether they have replaced them
   * @throws Problem as `takeShare`
   */
  async verify({ nonce, text }: { nonce: string; text: string }): Promise<boolean> {
    const attempt = this.#attempt;
    if (attempt?.pending?.nonce !== nonce) throw conflict('no verification with this nonce is in progress');
    const { made, given, replacing } = attempt.pending;
    const enough = given.take(text, [made]);
    if (!enough) return false;
    if (!(await keyOfShares(enough.shares, made)))
      throw invalid('/key', 'does not make the new key together with the others');
    await this.#commit(attempt, { replacing, made, isProved: true });
    return true;
  }

  /** Restarts the confirmation of the new shares. @throws Problem `conflict` */
  restartVerification(): void {
    const pending = this.#attempt?.pending;
    if (!pending) throw conflict('no verification is in progress');
    pending.given.reset();
    pending.nonce = randomUUID();
  }

  #attemptOf(nonce: string): Attempt {
    if (!this.#attempt) throw conflict('no rekey in progress');
    if (this.#attempt.nonce !== nonce) throw conflict('incorrect nonce supplied');
    return this.#attempt;
  }

  async #sets(): Promise<ShareSet[]> {
    const { db } = this.#deps;
    const row = await findSeal(db);
    if (row?.kind !== 'shamir' || !row.confirmed_at) throw conflict('the secrets are not sealed with shares');
    return listShareSets(db, row);
  }

  async #commit(attempt: Attempt, { replacing, made, isProved }: Replacement): Promise<void> {
    const { db, now } = this.#deps;
    await inTransaction(db, async (trx) => {
      const occurred_at = now();
      const isStanding = await proveShares(trx, replacing, { row: await lockSeal(trx), now: occurred_at });
      if (isStanding === undefined) throw conflict('the shares were replaced meanwhile');
      // This process may end before the new shares are shown: until then the present ones open the vault, too.
      if (isProved) await setShares(trx, made, occurred_at);
      else await setNextShares(trx, made, { replaces: replacing.set_id, created_at: occurred_at });
      await recordRekeyed(trx, attempt, { previous_shares: isProved ? 'revoked' : 'valid', occurred_at });
    });
    this.cancel();
  }

  async #revokeEarlier(attempt: Attempt, made: ShareSet): Promise<void> {
    const { db, now } = this.#deps;
    await inTransaction(db, async (trx) => {
      const occurred_at = now();
      // The new ones may have opened the vault, or been replaced, before this.
      if (!(await proveShares(trx, made, { row: await lockSeal(trx), now: occurred_at }))) return;
      await recordRekeyed(trx, attempt, { previous_shares: 'revoked', occurred_at });
    });
  }
}

type Recorded = { previous_shares: 'valid' | 'revoked'; occurred_at: Date };

async function recordRekeyed(trx: Trx, { actor, shares, threshold }: Attempt, recorded: Recorded): Promise<void> {
  const { previous_shares, occurred_at } = recorded;
  const target = { kind: 'vault', id: 'shamir' };
  const details = { shares, threshold, previous_shares };
  await appendEvent(trx, { actor, action: 'vault.rekeyed', target, details, occurred_at });
}

type Replacement = { replacing: ShareSet; made: ShareSet; isProved: boolean };

/** The root key of the vault under a new key, and the shares of that. */
async function replaced(given: { shares: Share[]; set: ShareSet }, { shares, threshold }: ShareCounts) {
  const present = await keyOfShares(given.shares, given.set);
  if (!present) throw invalid('/key', 'does not unseal the secrets together with the others');
  const root = unseal(present, rootPlace('shamir'), given.set.sealed_root);
  const secret = randomBytes(32);
  const set_id = randomUUID();
  const keys = await splitKey(secret, { set_id, shares, threshold });
  const key = createSecretKey(secret);
  secret.fill(0);
  const sealed_root = seal(key, rootPlace('shamir'), root);
  root.fill(0);
  const share_digests = keys.map(shareDigest);
  const made = { set_id, shares, threshold, key_check: keyCheck(key, set_id), share_digests, sealed_root };
  return { made, keys };
}
