import { z } from 'zod';
import { presentName } from './actions.ts';
import { type ChainEvent, eventDigest, isSigned, segmentText, sha256 } from './chain.ts';
import type { NotedHead, PublicKeys } from './verifier.ts';

/** A segment as its messages describe it. `is_proved`: all its events are present and match its signed head. */
export type ReceivedSegment = { number: number; head: string | undefined; events: ChainEvent[]; is_proved: boolean };

export type ReceivedMessages = {
  /** Why the file is refused: it does not match a signed head. */
  fault: { line: number; detail: string } | undefined;
  /** The newest head that a log line of a server names. */
  noted: NotedHead | undefined;
};

const Hex = z.string().regex(/^[0-9a-f]{64}$/);
const text = z.string().nullable();
const place = { segment: z.int().min(1), ordinal: z.int().min(0) };
const EventData = z.object({
  id: z.uuid(),
  // Messages of older versions lack these two, and cannot be proved.
  recorded_in: z.number().optional(),
  personal_digest: Hex.nullable().optional(),
  occurred_at: z.string(),
  actor_kind: z.string(),
  actor_id: text,
  action: z.string(),
  target_kind: text,
  target_id: text,
  outcome: z.string(),
  reason: text,
  request_id: text,
  details: z.unknown(),
  ...place,
});
const HeadData = z.object({
  number: z.int().min(1),
  previous_head: Hex,
  head: Hex,
  seen_below: z.number(),
  unfinished: z.array(z.number()),
  is_complete: z.boolean(),
  sealed_at: z.coerce.date(),
  kid: z.string(),
  signature: z.string(),
  size: z.int().optional(),
});
const Message = z.object({ type: z.string(), data: z.record(z.string(), z.unknown()) });
const LogLine = z.object({ msg: z.literal('audit events sealed'), segment: z.int(), head: Hex });

type Head = z.output<typeof HeadData>;
type Gathered = { head?: Head; events: Map<number, ChainEvent>; isExact: boolean };

/**
 * Reads messages from webhooks or standard output, one JSON object a line; other lines are skipped. They may come in any order and
 * more than once. A segment with all its events is proved by its signed head; others are passed on as unproved at the end.
 *
 * @param take receives each segment; a later line may still be wrong
 */
export async function verifyMessages(
  lines: AsyncIterable<string>,
  keys: PublicKeys,
  take: (segment: ReceivedSegment) => Promise<void>,
): Promise<ReceivedMessages> {
  const gathered = new Map<number, Gathered>();
  let noted: NotedHead | undefined;
  let line = 0;
  for await (const text of lines) {
    line += 1;
    const value = objectIn(text);
    const log = LogLine.safeParse(value).data;
    if (log && log.segment > (noted?.number ?? 0)) noted = { number: log.segment, head: log.head };
    const message = Message.safeParse(value).data;
    const number = message && gather(gathered, message);
    const segment = number === undefined ? undefined : gathered.get(number);
    if (number === undefined || !segment || !isWhole(segment)) continue;
    const detail = faultIn(segment, keys);
    if (detail) return { fault: { line, detail: `segment ${number}: ${detail}` }, noted };
    gathered.delete(number);
    await take(recordedMembersOf(number, segment, true));
  }
  for (const [number, segment] of [...gathered].sort(([a], [b]) => a - b))
    await take(recordedMembersOf(number, segment, false));
  return { fault: undefined, noted };
}

function objectIn(line: string): unknown {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** @returns the number of the segment of the message */
function gather(gathered: Map<number, Gathered>, { type, data }: z.output<typeof Message>): number | undefined {
  const head = type === 'audit.sealed' ? HeadData.safeParse(data).data : undefined;
  const event = head ? undefined : EventData.safeParse(data).data;
  const number = head?.number ?? event?.segment;
  if (number === undefined || (event && presentName(event.action) !== presentName(type))) return undefined;
  const segment: Gathered = gathered.get(number) ?? { events: new Map(), isExact: true };
  gathered.set(number, segment);
  if (head) segment.head = head;
  if (event) {
    const { ordinal, segment: _, details, recorded_in = 0, personal_digest = null, ...rest } = event;
    segment.isExact &&= event.recorded_in !== undefined;
    // The same text as the server wrote: it used JSON.stringify, too.
    const written = details === null || details === undefined ? null : JSON.stringify(details);
    segment.events.set(ordinal, { ...rest, recorded_in, personal_digest, details: written });
  }
  return number;
}

const isWhole = ({ head, events, isExact }: Gathered) => isExact && head?.size === events.size;

function faultIn({ head, events }: Gathered, keys: PublicKeys): string | undefined {
  if (!head) return undefined;
  const key = keys.get(head.kid);
  if (!key) return `it is signed by a key that this installation does not have: ${head.kid}`;
  const { head: signed, signature, size: _, ...segment } = head;
  const members = inOrder(events).map((event) => ({ id: event.id, digest: eventDigest(event) }));
  const written = segmentText({ ...segment, members });
  const isWritten = isSigned(key, written, signature) && signed === sha256(written);
  return isWritten ? undefined : 'its events differ from those that were sealed';
}

const inOrder = (events: Gathered['events']) => [...events].sort(([a], [b]) => a - b).map(([, event]) => event);

function recordedMembersOf(number: number, { head, events }: Gathered, is_proved: boolean): ReceivedSegment {
  return { number, head: is_proved ? head?.head : undefined, events: inOrder(events), is_proved };
}
