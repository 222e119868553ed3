import type { Db } from '../../platform/database/index.ts';
import type { Actor } from '../../platform/http/index.ts';

import { findRetention } from './chain-store.ts';
import type { ChainRow } from './chained-event-store.ts';
import { appendEvent } from './events.ts';
import { lookAtOneMoment, type SealedRange, startOf, Walk } from './walk.ts';

/**
 * The whole log, or the segments sealed in a range, as NDJSON: the start, then the events of each segment and their seal. With the
 * public keys it can be verified elsewhere. It is read as fast as it is sent, so that memory is bounded however long the log is.
 */
export async function* exportAudit(
  { db, now }: { db: Db; now: () => Date },
  actor: Actor,
  range: SealedRange,
): AsyncGenerator<string, void> {
  await db
    .transaction()
    .execute((trx) => appendEvent(trx, { actor, action: 'audit.exported', details: range, occurred_at: now() }));
  const look = await lookAtOneMoment(db);
  try {
    const start = await startOf(look, range);
    const retention = await findRetention(look);
    const isCut = retention?.number === start.number;
    yield lineOf(isCut ? { type: 'start', ...retention } : { type: 'start', ...start });
    for await (const { segment, rows } of new Walk(look, start, range.to).segments())
      yield [...rows.map(eventLine), lineOf({ type: 'segment', ...segment })].join('');
  } finally {
    await look.rollback().execute();
  }
}

const lineOf = (value: unknown) => `${JSON.stringify(value)}\n`;
const eventLine = ({ event, personal_details }: ChainRow) => lineOf({ type: 'event', ...event, personal_details });
