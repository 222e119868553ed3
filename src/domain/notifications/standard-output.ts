import type { Db } from '../../platform/database/index.ts';
import { sealedAfter } from '../audit/index.ts';
import { type Cursor, type Lease, saveCursor } from './cursor-store.ts';
import { messagesOf, textOf } from './messages.ts';

export type Write = (lines: string) => Promise<void>;

/** The name of the cursor for standard output; all other cursors belong to webhooks. */
export const standardOutput = 'stdout';

/**
 * Writes segments after the cursor as JSON lines, a whole segment at a time, and then moves the cursor: after a crash in between, the
 * segment is written again.
 */
export async function writeLines(
  { db, now, write, closing }: { db: Db; now: () => Date; write: Write; closing: AbortSignal },
  lease: Lease,
  held: Cursor,
): Promise<void> {
  for (let from = held.segment; ; ) {
    const segments = await sealedAfter(db, from);
    if (segments.length === 0) return;
    for (const sealed of segments) {
      if (closing.aborted) return;
      const { number: segment } = sealed.segment;
      await write(
        messagesOf(sealed)
          .map((message) => `${textOf(message)}\n`)
          .join(''),
      );
      const cursor = { segment, ordinal: 0, attempts: 0, next_attempt_at: null };
      if (!(await saveCursor(db, lease, cursor, now()))) return;
      from = segment;
    }
  }
}
