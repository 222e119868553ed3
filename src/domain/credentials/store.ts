import { type RawBuilder, sql } from 'kysely';
import type { z } from 'zod';
import { containing, type Db, type Trx } from '../../platform/database/index.ts';
import type { Position } from '../../platform/http/index.ts';
import type { CredentialView, credentialOrders, credentialStates } from './schemas.ts';

export type Credential = z.output<typeof CredentialView>;
/** With where it is in the order that was asked for. */
export type PlacedCredential = Credential & Position;

export type CredentialsFilter = {
  q?: string | undefined;
  owner_id?: string | undefined;
  state?: (typeof credentialStates)[number] | undefined;
  due?: boolean | undefined;
  sort: (typeof credentialOrders)[number];
  after: Position | undefined;
  limit: number;
};

// Every order ascends by a number, so that a cursor is a number; what has no time comes last.
const seconds = (column: string) => `extract(epoch from c.${column})`;
const last = '1e15';
const orders: Record<CredentialsFilter['sort'], string> = {
  '-created_at': `-${seconds('created_at')}`,
  name: 'lower(c.name) collate "C"',
  expires_at: `coalesce(${seconds('expires_at')}, ${last})`,
  due_at: `coalesce(${seconds('due_at')}, ${last})`,
  '-last_used_at': `coalesce(-${seconds('last_used_at')}, ${last})`,
};

// Judged by the time of the database, as what is accepted is.
const state = sql<Credential['state']>`case when c.revoked_at is not null then 'revoked'
  when c.expires_at <= t.now then 'expired' when c.stands_until > t.now then 'active' else 'inactive' end`;

/** Credentials of these inventories, searched, filtered and sorted; `after` is the position of the last one of the page before. */
export async function listCredentials(
  db: Db,
  inventories: readonly RawBuilder<unknown>[],
  { limit, after, sort, ...filter }: CredentialsFilter,
): Promise<PlacedCredential[]> {
  if (inventories.length === 0) return [];
  const order = sql.raw(orders[sort]);
  const key = sql`(c.kind || ' ' || c.id) collate "C"`;
  const value = sort === 'name' ? sql`${after?.value}::text` : sql`${after?.value}::numeric`;
  const conditions = [...conditionsOf(filter), ...(after ? [sql`(${order}, ${key}) > (${value}, ${after.key})`] : [])];
  const { rows } = await sql<PlacedCredential>`
    with t as (select latchkey_now() as now)
    select c.kind, c.id, c.name, c.risk, c.environment, c.version, c.created_at, c.last_used_at, c.expires_at, c.due_at,
        c.location, c.revoked_at, ${state} as state, (${order})::text as value, ${key} as key,
        case when s.id is not null then json_build_object('kind', s.kind, 'id', s.id,
          'name', coalesce(u.username, o.client_id)) end as owner
      from (${sql.join(inventories, sql` union all `)}) c cross join t
        left join subjects s on s.id = c.owner_id left join users u on u.id = s.id left join clients o on o.id = s.id
      where ${sql.join(conditions, sql` and `)}
      order by ${order}, ${key} limit ${limit}`.execute(db);
  return rows;
}

function conditionsOf({
  q,
  owner_id,
  state: wanted,
  due,
}: Omit<CredentialsFilter, 'sort' | 'after' | 'limit'>): RawBuilder<unknown>[] {
  const conditions: RawBuilder<unknown>[] = [sql`true`];
  if (q)
    conditions.push(sql`(c.name ilike ${containing(q)} or c.location ilike ${containing(q)} or starts_with(c.id, ${q})
      or coalesce(u.username, o.client_id) ilike ${containing(q)})`);
  if (owner_id) conditions.push(sql`c.owner_id = ${owner_id}`);
  if (wanted) conditions.push(sql`${state} = ${wanted}`);
  if (due !== undefined) {
    const isDue = sql`(coalesce(c.due_at <= t.now, false) and ${state} = 'active')`;
    conditions.push(due ? isDue : sql`not ${isDue}`);
  }
  return conditions;
}

export async function lockId(trx: Trx, kind: string, id: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtext('latchkey credential'), hashtext(${`${kind} ${id}`}))`.execute(trx);
}
