import { sql } from 'kysely';
import type { Db } from '../../platform/database/index.ts';

export type Present = { api: boolean; client: boolean; route: boolean; colleague: boolean };

/** What has been set up, according to the data. */
export async function readPresent(db: Db): Promise<Present> {
  const { rows } = await sql<Present>`select
    exists (select from resource_servers where not built_in) as api,
    exists (select from clients where not built_in) as client,
    exists (select from activity_counts where step_seconds = 3600 and kind in ('api_key', 'verification', 'introspection')) as route,
    (select count(*) > 1 from (select from users where enabled limit 2) u) as colleague`.execute(db);
  return rows[0] ?? { api: false, client: false, route: false, colleague: false };
}

export async function findHiddenHint(db: Db, { user_id, hint }: { user_id: string; hint: string }): Promise<boolean> {
  const query = db.selectFrom('hidden_hints').select('hint').where('user_id', '=', user_id).where('hint', '=', hint);
  return (await query.executeTakeFirst()) !== undefined;
}

type HiddenHint = { user_id: string; hint: string; hidden_at: Date };

export async function insertHiddenHint(db: Db, hidden: HiddenHint): Promise<void> {
  await db
    .insertInto('hidden_hints')
    .values(hidden)
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

export async function deleteHiddenHint(db: Db, { user_id, hint }: { user_id: string; hint: string }): Promise<void> {
  await db.deleteFrom('hidden_hints').where('user_id', '=', user_id).where('hint', '=', hint).execute();
}
