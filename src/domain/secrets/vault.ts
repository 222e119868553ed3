import { createSecretKey, type KeyObject, randomBytes, randomUUID } from 'node:crypto';
import type { SealKind } from '../../../db/schema.ts';
import { type Db, inTransaction, type Trx } from '../../platform/database/index.ts';
import { type Actor, conflict, invalid, system } from '../../platform/http/index.ts';
import { appendEvent } from '../audit/index.ts';
import { ignoreSealed, type Keyring, openKeyring, openRoot, sealed } from './keyring.ts';
import { makeVault } from './making.ts';
import { mustBeCounts, Rekey } from './rekey.ts';
import { staticKey } from './seal-keys.ts';
import {
  confirmSeal,
  findSeal,
  holdSeal,
  lockSeal,
  markSealed,
  removeUnconfirmed,
  type SealRow,
  type SealState,
} from './seal-store.ts';
import { listShareSets, proveShares, type ShareSet } from './share-sets.ts';
import { keyCheck, keyOfShares, type Share, shareDigest, splitKey } from './shares.ts';
import { UnsealProgress } from './unseal-progress.ts';

export type VaultDeps = {
  db: Db;
  rootKey: KeyObject;
  now: () => Date;
  /** The seal type of a vault that is not initialized yet. */
  sealKind: SealKind;
};

type Root = { key: KeyObject; generation: string };

/**
 * The seal of the secrets on this node: it holds the keys while the vault is open. The hierarchy: the root key of the installation, or
 * shares of the key holders, opens the vault's root key; that opens the keys of the terms, a term's key those of versions.
 */
export class Vault {
  readonly #deps: VaultDeps;
  readonly #progress = new UnsealProgress();
  /** Replacing the shares, on this node. */
  readonly rekey: Rekey;
  /** For a vault that was opened with shares on this node. */
  #root: Root | undefined;
  #opening: Promise<Keyring> | undefined;

  constructor(deps: VaultDeps) {
    this.#deps = deps;
    this.rekey = new Rekey(deps);
  }

  /**
   * The keys; the first call creates those of a static seal.
   *
   * @throws Problem 503 `sealed`
   */
  keyring(): Promise<Keyring> {
    const opening = this.#opening ?? this.#open();
    this.#opening = opening;
    opening.catch(() => this.#forgetIf(opening));
    return opening;
  }

  /** Reads the keys again: the vault was sealed, or there are new ones. */
  forget(): void {
    this.#opening = undefined;
  }

  /**
   * Runs work with the keys in a transaction during which the vault cannot be sealed.
   *
   * @throws Problem 503 `sealed`
   */
  async inOpenTransaction<T>(db: Db, work: (trx: Trx, keyring: Keyring) => Promise<T>): Promise<T> {
    const keyring = await this.keyring();
    const done = await inTransaction(db, async (trx) => {
      const held = await holdSeal(trx);
      if (held?.sealed_at) throw sealed();
      const isCurrent = held?.generation === keyring.generation && held.term === keyring.current.term;
      return isCurrent ? { result: await work(trx, keyring) } : undefined;
    });
    if (done) return done.result;
    this.forget();
    return this.inOpenTransaction(db, work);
  }

  async state(): Promise<SealState> {
    const row = await findSeal(this.#deps.db);
    const set = this.#progress.setOf(await listShareSets(this.#deps.db, row));
    const counts = { shares: set?.shares ?? 0, threshold: set?.threshold ?? 0 };
    const { count: progress, nonce } = this.#progress;
    const kind = row?.kind ?? this.#deps.sealKind;
    // A static vault is initialized by its first use.
    const initialized = row !== undefined || kind === 'static';
    return { kind, initialized, sealed: this.#isSealed(kind, row), ...counts, progress, nonce };
  }

  /** The warning if the setting differs from how the vault was initialized. The initialization decides. */
  async ignoredSetting(): Promise<string | undefined> {
    const row = await findSeal(this.#deps.db);
    const { sealKind } = this.#deps;
    if (!row || row.kind === sealKind) return undefined;
    return `LATCHKEY_VAULT_SEAL is "${sealKind}", but the secrets were initialized with "${row.kind}", which cannot be changed. Set it to "${row.kind}".`;
  }

  #isSealed(kind: SealKind, row: SealRow | undefined): boolean {
    return kind === 'static' ? row?.sealed_at != null : this.#root?.generation !== row?.generation || !this.#root;
  }

  /**
   * Initializes a vault with shares. Until they have opened it, it can be initialized again: it contains nothing yet.
   *
   * @returns the shares, shown once
   * @throws Problem `conflict`: it is initialized, or its seal is static; `invalid`
   */
  async initialize(actor: Actor, { shares, threshold }: { shares: number; threshold: number }): Promise<Buffer[]> {
    mustBeCounts({ shares, threshold });
    const key = randomBytes(32);
    const set_id = randomUUID();
    const made = await splitKey(key, { set_id, shares, threshold });
    const { db, now, sealKind } = this.#deps;
    await inTransaction(db, async (trx) => {
      const existing = await lockSeal(trx);
      if (existing?.confirmed_at || existing?.kind === 'static' || sealKind === 'static')
        throw conflict('The vault is already initialized.');
      if (existing) await removeUnconfirmed(trx);
      const sealingKey = createSecretKey(key);
      const share_digests = JSON.stringify(made.map(shareDigest));
      await makeVault(trx, actor, {
        ...{ kind: 'shamir', sealingKey, created_at: now(), set_id, shares, threshold, share_digests },
        key_check: keyCheck(sealingKey, set_id),
        // A node that opens the previous vault at this moment must not use its keys for this one.
        generation: String(Number(existing?.generation ?? 0) + 1),
      });
    });
    key.fill(0);
    this.#progress.reset();
    return made;
  }

  /**
   * Accepts a share of the key; with the last required one this node opens the vault.
   *
   * @throws Problem `invalid`: the error of the share; `conflict`: there is nothing to unseal
   */
  async takeShare(actor: Actor, text: string): Promise<SealState> {
    const row = await findSeal(this.#deps.db);
    if (row?.kind !== 'shamir') throw conflict('This vault has no shares: the root key opens it.');
    if (!this.#isSealed('shamir', row)) return this.state();
    const enough = this.#progress.take(text, await listShareSets(this.#deps.db, row));
    if (enough) await this.#openBy(actor, enough, row.generation);
    return this.state();
  }

  /** Removes the shares that were entered on this node. */
  resetProgress(): void {
    this.#progress.reset();
  }

  async #openBy(actor: Actor, { shares, set }: { shares: Share[]; set: ShareSet }, generation: string): Promise<void> {
    const key = await keyOfShares(shares, set);
    if (!key) throw invalid('/key', 'does not unseal the secrets together with the others');
    const root = { key: openRoot(key, { kind: 'shamir', sealed_root: set.sealed_root }), generation };
    const { db, now } = this.#deps;
    await inTransaction(db, async (trx) => {
      const occurred_at = now();
      const hasReplaced = await proveShares(trx, set, { row: await lockSeal(trx), now: occurred_at });
      if (hasReplaced === undefined) throw conflict('The shares were replaced meanwhile.');
      await confirmSeal(trx, occurred_at);
      const target = { kind: 'vault', id: 'shamir' };
      const details = hasReplaced ? { previous_shares: 'revoked' } : {};
      await appendEvent(trx, { actor, action: 'vault.unsealed', target, details, occurred_at });
    });
    this.#root = root;
    this.forget();
  }

  /** Seals the vault: from the next request on no node reads or writes secrets. Repeating it changes nothing. */
  async seal(actor: Actor): Promise<void> {
    await this.keyring().catch(ignoreSealed);
    await this.#mark(actor, true);
    this.#root = undefined;
    this.forget();
  }

  /**
   * Opens a vault with a static seal again. Repeating it changes nothing.
   *
   * @throws Problem `conflict`: shares open it
   */
  async unseal(actor: Actor): Promise<void> {
    if ((await this.state()).kind === 'shamir')
      throw conflict(
        'The secrets are sealed with shares: enter enough of them on each node, with "latchkey vault unseal".',
      );
    await this.#mark(actor, false);
    this.forget();
    await this.keyring();
  }

  async #mark(actor: Actor, isSealed: boolean): Promise<void> {
    const { db, now } = this.#deps;
    await inTransaction(db, async (trx) => {
      const row = await lockSeal(trx);
      const isStatic = row?.kind === 'static';
      if (!row || (isStatic && (row.sealed_at !== null) === isSealed)) return;
      const occurred_at = now();
      // A vault with shares is sealed by the next generation alone: each node needs the shares again.
      await markSealed(trx, isSealed && isStatic ? occurred_at : null, occurred_at);
      const action = isSealed ? 'vault.sealed' : 'vault.unsealed';
      await appendEvent(trx, { actor, action, target: { kind: 'vault', id: row.kind }, occurred_at });
    });
  }

  #forgetIf(opening: Promise<Keyring>): void {
    if (this.#opening === opening) this.#opening = undefined;
  }

  async #open(): Promise<Keyring> {
    const { db, rootKey, sealKind } = this.#deps;
    const row = (await findSeal(db)) ?? (sealKind === 'static' ? await this.#initializeStatic() : undefined);
    if (!row || row.sealed_at) throw sealed();
    const root = row.kind === 'static' ? openRoot(staticKey(rootKey), row) : this.#rootOf(row);
    return openKeyring(db, root, row);
  }

  /** @throws Problem 503 `sealed`: this node was not opened since the vault was sealed */
  #rootOf({ generation }: SealRow): KeyObject {
    if (this.#root?.generation === generation) return this.#root.key;
    this.#root = undefined;
    throw sealed();
  }

  async #initializeStatic(): Promise<SealRow> {
    const { db, now, rootKey } = this.#deps;
    return inTransaction(db, async (trx) => {
      const existing = await lockSeal(trx);
      if (existing) return existing;
      return makeVault(trx, system, { kind: 'static', sealingKey: staticKey(rootKey), created_at: now() });
    });
  }
}
