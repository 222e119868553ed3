import type { Db } from '../../platform/database/index.ts';
import { notFound } from '../../platform/http/index.ts';
import type { ServerKeys } from '../../platform/keys/index.ts';
import { eventDigest, type Segment } from './chain.ts';
import { checkpointBefore, findSegmentOf, segmentsAfter } from './chain-store.ts';
import { type ChainRow, findEventRow } from './chained-event-store.ts';
import { findEvent, type RecordedEvent } from './list-store.ts';
import { sealKeys } from './seal-keys.ts';
import { changedPart, sealFault } from './verifier.ts';

/** The place of an event in the chain, and whether it still matches its seal. */
export type EventPlace = {
  state: 'verified' | 'unsealed' | 'changed';
  /** What differs from the sealed event. */
  fault: string | null;
  /** SHA-256 of the event, hex. */
  digest: string;
  /** Null while the event is not sealed. */
  segment: { number: number; sealed_at: Date; head: string; ordinal: number; size: number } | null;
  previous_id: string | null;
  next_id: string | null;
};

/**
 * One event, with its place in the chain: its digest is compared with the sealed one, and the signature of its segment is verified.
 * `verifyAudit` verifies the whole chain.
 *
 * @throws Problem `not_found`
 */
export async function getEvent(
  { db, keys }: { db: Db; keys: ServerKeys },
  id: string,
): Promise<RecordedEvent & { chain: EventPlace }> {
  const [event, row] = await Promise.all([findEvent(db, id), findEventRow(db, id)]);
  if (!event || !row) throw notFound('audit event', id);
  const segment = await findSegmentOf(db, { id, occurred_at: event.occurred_at });
  const chain = segment ? await placeIn({ db, keys }, segment, row) : unsealed(row);
  return { ...event, chain };
}

const unsealed = ({ event }: ChainRow): EventPlace => ({
  state: 'unsealed',
  fault: null,
  digest: eventDigest(event),
  segment: null,
  previous_id: null,
  next_id: null,
});

async function placeIn(
  { db, keys }: { db: Db; keys: ServerKeys },
  segment: Segment,
  row: ChainRow,
): Promise<EventPlace> {
  const { number, members, sealed_at, head } = segment;
  const [publicKeys, before, [after]] = await Promise.all([
    sealKeys(keys).then((all) => new Map(all.map(({ kid, publicKey }) => [kid, publicKey]))),
    checkpointBefore(db, number),
    segmentsAfter(db, number, 1),
  ]);
  const n = members.findIndex(({ id }) => id === row.event.id);
  const member = members[n];
  const changed = member && changedPart(member, row);
  const fault = changed ?? (before && sealFault(segment, before.checkpoint, publicKeys)?.detail) ?? null;
  return {
    state: fault === null ? 'verified' : 'changed',
    fault,
    digest: eventDigest(row.event),
    segment: { number, sealed_at, head, ordinal: n + 1, size: members.length },
    previous_id: (members[n - 1] ?? before?.last)?.id ?? null,
    next_id: (members[n + 1] ?? after?.members[0])?.id ?? null,
  };
}
