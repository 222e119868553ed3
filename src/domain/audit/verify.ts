import type { Db, Trx } from '../../platform/database/index.ts';
import type { ServerKeys } from '../../platform/keys/index.ts';
import { type Checkpoint, isAfter } from './chain.ts';
import { currentSnapshot, findRetention } from './chain-store.ts';
import { sealKeys } from './seal-keys.ts';
import {
  type AuditFault,
  ChainVerifier,
  type NotedHead,
  type PublicKeys,
  retentionFault,
  strayFault,
} from './verifier.ts';
import { atOneMoment, type SealedRange, startOf, Walk } from './walk.ts';

export type VerifyDeps = { db: Db; keys: ServerKeys };

export type VerifyInput = SealedRange & {
  /** A head that the chain must still contain. */
  head?: NotedHead | undefined;
};

export type Verified = {
  /** The first fault. */
  fault: AuditFault | undefined;
  segments: number;
  events: number;
  /** The number of events without address and user agent, because they were erased or there were none. */
  without_details: number;
  /** Events that are not sealed yet; the sealer seals them within a second. */
  unsealed: number;
  /** Where the chain is proved up to. */
  head: { number: number; head: string; sealed_at: Date };
};

/**
 * Proves the whole audit log, or the segments sealed in a range: every event matches its seal and is in order, and none is missing or
 * added. It reads one snapshot: events that are recorded meanwhile do not matter.
 */
export async function verifyAudit({ db, keys }: VerifyDeps, input: VerifyInput = {}): Promise<Verified> {
  const publicKeys = new Map((await sealKeys(keys)).map(({ kid, publicKey }) => [kid, publicKey]));
  return atOneMoment(db, (trx) => verified(trx, publicKeys, input));
}

async function verified(trx: Trx, publicKeys: PublicKeys, input: VerifyInput): Promise<Verified> {
  const start = await startOf(trx, input);
  const verifier = new ChainVerifier(start, publicKeys, input.head);
  const walk = new Walk(trx, start, input.to);
  const counts = { segments: 0, events: 0, without_details: 0, unsealed: 0 };
  const answer = (fault: AuditFault | undefined): Verified => {
    const { number, head, sealed_at } = verifier.standing;
    return { fault, ...counts, head: { number, head, sealed_at } };
  };

  const retention = await findRetention(trx);
  const unsigned = retention && retentionFault(retention, publicKeys);
  if (unsigned) return answer(unsigned);
  for await (const { segment, rows } of walk.segments()) {
    const fault = verifier.check(segment, rows) ?? strayFault(segment, walk.pending.values());
    if (fault) return answer(await explained(fault, walk));
    counts.segments += 1;
    counts.events += rows.length;
    counts.without_details += rows.filter(({ personal_details }) => !personal_details).length;
  }
  const cutOff = verifier.cutOffFault();
  if (cutOff || input.to) return answer(cutOff);
  return restFault(trx, walk, verifier.standing, counts).then(answer);
}

/** Judges the events after the last seal: those that the next seal will contain, and those that none ever will. */
async function restFault(
  trx: Trx,
  walk: Walk,
  standing: Checkpoint,
  counts: { unsealed: number },
): Promise<AuditFault | undefined> {
  const { seen_below } = await currentSnapshot(trx);
  for await (const { event } of walk.rest()) {
    if (event.recorded_in >= seen_below || !isAfter(standing, event.recorded_in)) {
      const detail = 'no transaction of this database has recorded it';
      return { kind: 'inserted', segment: standing.number, event_id: event.id, detail };
    }
    counts.unsealed += 1;
  }
  return undefined;
}

/** An event that is missing where it was sealed may be elsewhere in the log. */
async function explained(fault: AuditFault, walk: Walk): Promise<AuditFault> {
  if (fault.kind !== 'removed' || !fault.event_id) return fault;
  for await (const { event } of walk.rest()) {
    if (event.id !== fault.event_id) continue;
    return { ...fault, kind: 'reordered', detail: 'it is behind the position where it was sealed' };
  }
  return fault;
}
