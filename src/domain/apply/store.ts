import { sql } from 'kysely';
import type { Trx } from '../../platform/database/index.ts';

/** Nodes apply one after another: the second sees the changes of the first. */
export async function lockApplying(trx: Trx): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtext('latchkey apply'))`.execute(trx);
}

/** Names of the members that were changed, by the kind and name of the entry. */
export type ChangedMembers = ReadonlyMap<string, string[]>;

/** The changes of this transaction so far, by its audit events. */
export async function changedInThis(trx: Trx): Promise<ChangedMembers> {
  const { rows } = await sql<{ kind: string; name: string; changed: Record<string, unknown> | string[] }>`
    select e.target_kind as kind, coalesce(u.username, case when e.target_kind = 'trust' then e.details ->> 'name' end, e.target_id) as name, e.details->'changed' as changed
      from audit_events e join audit_positions p on e.recorded_in = pg_current_xact_id()::text::bigint + p.xid_offset
      left join users u on e.target_kind = 'user' and u.id::text = e.target_id
      where e.action in ('client.updated', 'resource_server.updated', 'role.updated', 'trust.updated', 'user.updated')`.execute(
    trx,
  );
  return new Map(
    rows.map(({ kind, name, changed }) => [
      `${kind.replace('_', ' ')} ${name.toLowerCase()}`,
      Array.isArray(changed) ? changed : Object.keys(changed ?? {}),
    ]),
  );
}
