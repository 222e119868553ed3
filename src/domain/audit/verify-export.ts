import { z } from 'zod';
import type { Segment } from './chain.ts';
import type { ChainRow } from './chained-event-store.ts';
import { type AuditFault, ChainVerifier, type NotedHead, type PublicKeys, retentionFault } from './verifier.ts';

const mostInSegment = 10_000;

const Hex = z.string().regex(/^[0-9a-f]{64}$/);
const text = z.string().nullable();
const Checkpointed = z.object({
  number: z.int(),
  head: Hex,
  seen_below: z.number(),
  unfinished: z.array(z.number()),
  sealed_at: z.coerce.date(),
});
const StartLine = Checkpointed.extend({
  type: z.literal('start'),
  removed_at: z.coerce.date().optional(),
  kid: z.string().optional(),
  signature: z.string().optional(),
});
const EventLine = z.object({
  type: z.literal('event'),
  id: z.uuid(),
  recorded_in: z.number(),
  occurred_at: z.string(),
  actor_kind: z.string(),
  actor_id: text,
  action: z.string(),
  target_kind: text,
  target_id: text,
  outcome: z.string(),
  reason: text,
  request_id: text,
  details: text,
  personal_digest: Hex.nullable(),
  personal_details: z.object({ salt: z.string(), address: text, user_agent: text }).nullable(),
});
const SegmentLine = Checkpointed.extend({
  type: z.literal('segment'),
  previous_head: Hex,
  members: z.array(z.object({ id: z.uuid(), digest: Hex })),
  is_complete: z.boolean(),
  kid: z.string(),
  signature: z.string(),
});
const Line = z.discriminatedUnion('type', [StartLine, EventLine, SegmentLine]);

export type VerifiedFile = {
  /** The first fault, and the line where it shows. */
  fault: (Omit<AuditFault, 'segment'> & { segment?: number; line: number }) | undefined;
  segments: number;
  events: number;
  head: { number: number; head: string; sealed_at: Date } | undefined;
  /** The segment after which the file begins; 0: the beginning of the log. */
  start: NotedHead | undefined;
};

/** Receives each segment once it is proved; a later one may still be wrong. */
export type TakeSegment = (segment: Segment, rows: readonly ChainRow[]) => Promise<void>;

/**
 * Proves an export line by line, without a database.
 *
 * @param head a head noted elsewhere, which the file must contain: without one, a file that was cut off after a seal is not detected
 */
export async function verifyExport(
  lines: AsyncIterable<string>,
  keys: PublicKeys,
  { head, take }: { head?: NotedHead | undefined; take?: TakeSegment } = {},
): Promise<VerifiedFile> {
  const reader = new ExportReader(keys, head);
  let line = 0;
  for await (const text of lines) {
    line += 1;
    const fault = reader.read(text);
    if (fault) return reader.answer({ ...fault, line: fault.line ?? line });
    const sealed = reader.takeSealed();
    if (sealed) await take?.(sealed.segment, sealed.rows);
  }
  const fault = reader.endFault();
  return reader.answer(fault && { ...fault, line });
}

type LineFault = Omit<AuditFault, 'segment'> & { segment?: number; line?: number };

class ExportReader {
  readonly #keys: PublicKeys;
  readonly #noted: NotedHead | undefined;
  #verifier: ChainVerifier | undefined;
  #rows: ChainRow[] = [];
  #linesBefore = 0;
  #segments = 0;
  #events = 0;
  #start: NotedHead | undefined;
  #sealed: { segment: Segment; rows: ChainRow[] } | undefined;

  constructor(keys: PublicKeys, noted: NotedHead | undefined) {
    this.#keys = keys;
    this.#noted = noted;
  }

  /** After the last line. */
  endFault(): LineFault | undefined {
    if (!this.#verifier) return { kind: 'removed', detail: 'the file is empty' };
    if (this.#rows.length > 0) return { kind: 'removed', detail: 'the file ends without a seal' };
    return this.#verifier.cutOffFault();
  }

  read(text: string): LineFault | undefined {
    const line = lineIn(text);
    if (!line) return { kind: 'changed', detail: 'it is not a line of an export' };
    if (line.type === 'start') return this.#begin(line);
    if (!this.#verifier) return { kind: 'removed', detail: 'the first line does not say where the export starts' };
    if (line.type === 'segment') return this.#seal(line, this.#verifier);
    const { type: _, personal_details, ...event } = line;
    this.#rows.push({ event, personal_details });
    return this.#rows.length > mostInSegment ? { kind: 'removed', detail: 'a seal is missing before it' } : undefined;
  }

  /** The segment that the last line sealed; returned once. */
  takeSealed(): { segment: Segment; rows: ChainRow[] } | undefined {
    const sealed = this.#sealed;
    this.#sealed = undefined;
    return sealed;
  }

  answer(fault: VerifiedFile['fault']): VerifiedFile {
    const standing = this.#verifier?.standing;
    const head = standing && { number: standing.number, head: standing.head, sealed_at: standing.sealed_at };
    return { fault, segments: this.#segments, events: this.#events, head, start: this.#start };
  }

  #begin({ type: _, removed_at, kid, signature, ...start }: z.output<typeof StartLine>): LineFault | undefined {
    if (this.#verifier) return { kind: 'inserted', detail: 'an export starts only once' };
    this.#verifier = new ChainVerifier(start, this.#keys, this.#noted);
    this.#linesBefore = 1;
    this.#start = { number: start.number, head: start.head };
    const retention = removed_at && kid && signature ? { ...start, removed_at, kid, signature } : undefined;
    return retention && retentionFault(retention, this.#keys);
  }

  #seal({ type: _, ...segment }: z.output<typeof SegmentLine>, verifier: ChainVerifier): LineFault | undefined {
    const rows = this.#rows;
    const fault = verifier.check(segment, rows);
    if (fault) return { ...fault, ...this.#lineOf(fault.event_id) };
    this.#segments += 1;
    this.#events += rows.length;
    this.#linesBefore += rows.length + 1;
    this.#rows = [];
    this.#sealed = { segment, rows };
    return undefined;
  }

  /** The line of an event; for a missing one, that of its seal. */
  #lineOf(event_id: string | undefined): { line?: number } {
    const n = this.#rows.findIndex(({ event }) => event.id === event_id);
    return n < 0 ? {} : { line: this.#linesBefore + n + 1 };
  }
}

function lineIn(text: string): z.output<typeof Line> | undefined {
  try {
    return Line.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
