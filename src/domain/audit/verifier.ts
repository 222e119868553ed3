import type { KeyObject } from 'node:crypto';
import {
  type Checkpoint,
  eventDigest,
  isAfter,
  isSigned,
  type Member,
  type Retention,
  retentionText,
  type Segment,
  segmentText,
  sha256,
} from './chain.ts';
import type { ChainRow } from './chained-event-store.ts';
import { personalDigest } from './personal-details.ts';

/** The first fault in the chain. `seal`: the seal itself is wrong, and `event_id` is the first event under it. */
export type AuditFault = {
  kind: 'changed' | 'removed' | 'inserted' | 'reordered' | 'seal';
  segment: number;
  event_id?: string | undefined;
  detail: string;
};

export type PublicKeys = ReadonlyMap<string, KeyObject>;

/** A head noted elsewhere (in the log, by a webhook). */
export type NotedHead = { number: number; head: string };

// Longer than any transaction, and than the skew of clocks (2 s): an event that is older was not written at its time.
const oldestMs = 5 * 60 * 1000;
const rememberedCheckpoints = 64;

/** Follows a chain, segment by segment, and finds the first fault; it needs no database. */
export class ChainVerifier {
  #standing: Checkpoint;
  readonly #keys: PublicKeys;
  readonly #noted: NotedHead | undefined;
  readonly #earlier: Checkpoint[] = [];

  /** @param noted a head that the chain must contain, unless it starts later */
  constructor(start: Checkpoint, keys: PublicKeys, noted?: NotedHead) {
    this.#standing = start;
    this.#keys = keys;
    this.#noted = noted;
    if (start.number > 0) this.#earlier.push(start);
  }

  /** Where the chain is proved up to. */
  get standing(): Checkpoint {
    return this.#standing;
  }

  /**
   * Proves the next segment.
   *
   * @param rows the events it should hold, in the order of the log
   */
  check(segment: Segment, rows: readonly ChainRow[]): AuditFault | undefined {
    const fault =
      sealFault(segment, this.#standing, this.#keys) ??
      memberFault(segment, rows) ??
      this.#timeFault(segment, rows) ??
      this.#otherHeadFault(segment);
    if (fault) return fault;
    this.#standing = segment;
    if (segment.is_complete) this.#earlier.unshift(segment);
    this.#earlier.length = Math.min(this.#earlier.length, rememberedCheckpoints);
    return undefined;
  }

  /** After the last segment: whether the chain is as long as it is known to have been. */
  cutOffFault(): AuditFault | undefined {
    const { number } = this.#noted ?? {};
    if (number === undefined || number <= this.#standing.number) return undefined;
    return { kind: 'removed', segment: number, detail: 'the chain ends before the head that was noted' };
  }

  #otherHeadFault({ number, head }: Segment): AuditFault | undefined {
    if (this.#noted?.number !== number || this.#noted.head === head) return undefined;
    return { kind: 'seal', segment: number, detail: 'its head differs from the noted one: the chain was rebuilt' };
  }

  /** An event whose time lies before a seal that does not contain it was written later. */
  #timeFault(segment: Segment, rows: readonly ChainRow[]): AuditFault | undefined {
    for (const { event } of rows) {
      const before = this.#earlier.find(({ seen_below }) => seen_below <= event.recorded_in);
      if (!before || Date.parse(event.occurred_at) >= before.sealed_at.getTime() - oldestMs) continue;
      const detail = `it says that it occurred at ${event.occurred_at}, and was written after ${before.sealed_at.toISOString()}`;
      return { kind: 'inserted', segment: segment.number, event_id: event.id, detail };
    }
    return undefined;
  }
}

/** Whether a segment follows a checkpoint, and is signed. */
export function sealFault(segment: Segment, before: Checkpoint, keys: PublicKeys): AuditFault | undefined {
  const { number, head } = before;
  const fault = (detail: string): AuditFault => ({
    kind: 'seal',
    segment: segment.number,
    event_id: segment.members[0]?.id,
    detail,
  });
  if (segment.number !== number + 1) {
    return {
      ...fault(`segment ${number + 1} is missing`),
      kind: 'removed',
      segment: number + 1,
      event_id: undefined,
    };
  }
  if (segment.previous_head !== head) return fault('it does not follow the head of the segment before');
  const key = keys.get(segment.kid);
  if (!key) return fault(`it is signed by an unknown key: ${segment.kid}`);
  const text = segmentText(segment);
  if (!isSigned(key, text, segment.signature)) return fault('its signature is invalid');
  if (segment.head !== sha256(text)) return fault('its head differs from the signed one');
  return undefined;
}

/** Verifies the record of removed segments. */
export function retentionFault(retention: Retention, keys: PublicKeys): AuditFault | undefined {
  const key = keys.get(retention.kid);
  if (key && isSigned(key, retentionText(retention), retention.signature)) return undefined;
  const detail = 'the record of removed segments is not signed by this installation';
  return { kind: 'seal', segment: retention.number, detail };
}

function memberFault({ number, members }: Segment, rows: readonly ChainRow[]): AuditFault | undefined {
  const fault = (kind: AuditFault['kind'], event_id: string, detail: string): AuditFault => ({
    kind,
    segment: number,
    event_id,
    detail,
  });
  for (const [n, member] of members.entries()) {
    const row = rows[n];
    if (row?.event.id === member.id) {
      const changed = changedPart(member, row);
      if (changed) return fault('changed', member.id, changed);
    } else if (!rows.some(({ event }) => event.id === member.id)) {
      return fault('removed', member.id, 'it was sealed and is missing');
    } else if (row && members.some(({ id }) => id === row.event.id)) {
      return fault('reordered', row.event.id, `it stands where ${member.id} was sealed`);
    } else if (row) {
      return fault('inserted', row.event.id, 'it was added after its segment was sealed');
    }
  }
  const more = rows[members.length];
  return more && fault('inserted', more.event.id, 'it was added after its segment was sealed');
}

/** The part of an event that differs from the sealed one; undefined: none. */
export function changedPart({ digest }: Member, { event, personal_details }: ChainRow): string | undefined {
  if (eventDigest(event) !== digest) return 'it differs from what was sealed';
  if (!personal_details) return undefined;
  const isTheirs = personalDigest(personal_details).toString('hex') === event.personal_digest;
  return isTheirs ? undefined : 'its address or user agent differs from what was sealed';
}

/** The fault of events that should be sealed, but are not. */
export function strayFault(segment: Segment, rows: Iterable<ChainRow>): AuditFault | undefined {
  if (!segment.is_complete) return undefined;
  for (const { event } of rows) {
    if (isAfter(segment, event.recorded_in)) continue;
    const detail = 'it is older than the seal, but was added after it';
    return { kind: 'inserted', segment: segment.number, event_id: event.id, detail };
  }
  return undefined;
}
