import type { Db } from '../platform/database/index.ts';
import type { Actor } from '../platform/http/index.ts';

import { type ChainRow, findRetention } from './chain-store.ts';
import { appendEvent } from './events.ts';
import { atOneMoment, type SealedRange, startOf, Walk } from './walk.ts';

export type ExportInput = SealedRange & { write: (lines: string) => Promise<void> };

/**
 * Writes the whole log, or the segments sealed in a range, as NDJSON: where it starts, then the events of each segment and
 * their seal. That is all that proves it elsewhere, beside the public keys. It waits for every write, so that memory is
 * bounded however long the log is.
 */
export async function exportAudit(
  { db, now }: { db: Db; now: () => Date },
  actor: Actor,
  { write, ...range }: ExportInput,
): Promise<{ events: number }> {
  await db
    .transaction()
    .execute((trx) => appendEvent(trx, { actor, action: 'audit.exported', details: range, occurred_at: now() }));
  return atOneMoment(db, async (trx) => {
    const start = await startOf(trx, range);
    const retention = await findRetention(trx);
    const isCut = retention?.number === start.number;
    await write(lineOf(isCut ? { type: 'start', ...retention } : { type: 'start', ...start }));
    let events = 0;
    for await (const { segment, rows } of new Walk(trx, start, range.to).segments()) {
      await write([...rows.map(eventLine), lineOf({ type: 'segment', ...segment })].join(''));
      events += rows.length;
    }
    return { events };
  });
}

const lineOf = (value: unknown) => `${JSON.stringify(value)}\n`;
const eventLine = ({ event, personal_details }: ChainRow) => lineOf({ type: 'event', ...event, personal_details });
