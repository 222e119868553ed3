import type { Collection } from '../../platform/database/index.ts';
import type { AccessRecord } from './store.ts';

/** What equal uses have in common: everything but the request and its time. */
export type Used = Pick<
  AccessRecord,
  | 'kind'
  | 'outcome'
  | 'caller'
  | 'credential'
  | 'client_id'
  | 'user_id'
  | 'address'
  | 'credential_version'
  | 'permissions'
>;

/**
 * Records that wait to be written, found by what they have in common with a use. They are indexed by credential and address,
 * which leaves few to compare: one key of all members would have to be built for every use.
 */
export class CountedRecords implements Collection<AccessRecord> {
  readonly #found = new Map<string | null, Map<string | null, AccessRecord[]>>();
  readonly #all: AccessRecord[] = [];

  get size(): number {
    return this.#all.length;
  }

  find(use: Used): AccessRecord | undefined {
    return this.#found
      .get(use.credential)
      ?.get(use.address)
      ?.find((record) => isAlike(record, use));
  }

  /** The number of records with this credential and address. */
  countLike({ credential, address }: Pick<Used, 'credential' | 'address'>): number {
    return this.#found.get(credential)?.get(address)?.length ?? 0;
  }

  merge(record: AccessRecord): boolean {
    const earlier = this.find(record);
    if (earlier) Object.assign(earlier, { uses: earlier.uses + record.uses, last_at: record.last_at });
    return earlier !== undefined;
  }

  add(record: AccessRecord): void {
    const { credential, address } = record;
    const ofCredential = this.#found.get(credential) ?? new Map<string | null, AccessRecord[]>();
    const here = ofCredential.get(address) ?? [];
    here.push(record);
    this.#found.set(credential, ofCredential.set(address, here));
    this.#all.push(record);
  }

  /** In the order in which they were added. */
  items(): AccessRecord[] {
    return [...this.#all];
  }
}

function isAlike(record: AccessRecord, used: Used): boolean {
  const { kind, outcome, caller, client_id, user_id, credential_version, permissions } = used;
  return (
    record.caller === caller &&
    record.outcome === outcome &&
    record.kind === kind &&
    record.client_id === client_id &&
    record.user_id === user_id &&
    record.credential_version === credential_version &&
    areSame(record.permissions, permissions)
  );
}

/** Both lists are sorted. */
function areSame(some: readonly string[] | null, others: readonly string[] | null): boolean {
  if (some === null || others === null) return some === others;
  return some.length === others.length && some.every((permission, n) => permission === others[n]);
}
