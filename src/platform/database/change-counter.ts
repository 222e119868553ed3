import { sql } from 'kysely';
import type { Db, Trx } from './open.ts';

const pollMs = 1000;

/** Tells every node, within a second of the commit, that cached state (keys) changed. Last statement of the transaction. */
export async function announceChange(trx: Trx): Promise<void> {
  await trx.updateTable('change_counter').set({ position: sql`position + 1` }).execute();
}

/** Where the counter stands. */
async function readChangePosition(db: Db): Promise<string> {
  const { position } = await db.selectFrom('change_counter').select('position').executeTakeFirstOrThrow();
  return position;
}

/**
 * Calls `onChange` whenever the counter has moved since the last look, and `onTick` after every look.
 * A failing look is repeated a second later.
 */
export function watchChanges(
  db: Db,
  onChange: () => Promise<void>,
  onTick: () => Promise<void>,
): { close: () => void } {
  let known: string | undefined;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  const look = async () => {
    try {
      const position = await readChangePosition(db);
      if (known !== undefined && position !== known) await onChange();
      known = position;
      await onTick();
    } catch {
      // The database is away: requests answer 503 by themselves, and the next look comes in a second.
      known ??= undefined;
    }
    if (!closed) timer = setTimeout(look, pollMs).unref();
  };
  void look();
  return {
    close: () => {
      closed = true;
      clearTimeout(timer);
    },
  };
}
