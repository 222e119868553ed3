import type { Collection } from '../../platform/database/index.ts';
import type { AccessRecord } from './store.ts';

type Used = Pick<AccessRecord, 'kind' | 'outcome' | 'caller' | 'credential' | 'client_id' | 'user_id' | 'address'>;

/**
 * Records that wait to be written, found by what they have in common with a use. By credential and address, of each of which
 * there are few: a key made of all texts would have to be put together for every use.
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

function isAlike(record: AccessRecord, { kind, outcome, caller, client_id, user_id }: Used): boolean {
  return (
    record.caller === caller &&
    record.outcome === outcome &&
    record.kind === kind &&
    record.client_id === client_id &&
    record.user_id === user_id
  );
}
