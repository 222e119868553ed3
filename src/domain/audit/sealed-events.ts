import type { Db } from '../../platform/database/index.ts';
import type { Segment } from './chain.ts';
import { completeSegmentUpTo, firstCheckpoint, lastCheckpoint } from './chain-store.ts';
import type { ChainRow } from './chained-event-store.ts';
import { atOneMoment, Walk } from './walk.ts';

/** An event with its position in its segment (from 0). */
export type SealedEvent = ChainRow & { ordinal: number };

/** A segment with its requested events; `size` is the number of all its events. */
export type SealedSegment = {
  segment: Pick<Segment, 'number' | 'previous_head' | 'head' | 'kid' | 'signature' | 'sealed_at'>;
  size: number;
  events: SealedEvent[];
};

const eventsAtOnce = 500;

/** The number of the last segment; 0 before the first. */
export async function chainHead(db: Db): Promise<number> {
  return (await lastCheckpoint(db)).number;
}

/**
 * The segments after a segment, in the order of the chain: whole ones, with about 500 events together. Empty after the last one.
 * Removed segments are skipped.
 */
export async function sealedAfter(db: Db, number: number): Promise<SealedSegment[]> {
  return atOneMoment(db, async (trx) => {
    const start = (await completeSegmentUpTo(trx, number)) ?? (await firstCheckpoint(trx));
    const found: SealedSegment[] = [];
    let count = 0;
    for await (const { segment, rows } of new Walk(trx, start).segments()) {
      if (segment.number <= number) continue;
      const { members, ...told } = segment;
      const ordinals = new Map(members.map(({ id }, ordinal) => [id, ordinal]));
      const events = rows.map((row) => ({ ...row, ordinal: ordinals.get(row.event.id) ?? 0 }));
      found.push({ segment: told, size: members.length, events });
      count += members.length;
      if (count >= eventsAtOnce) break;
    }
    return found;
  });
}
