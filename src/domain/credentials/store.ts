import { type RawBuilder, sql } from 'kysely';
import { containing, type Db, type Trx } from '../../platform/database/index.ts';
import type { Page, Place } from '../../platform/http/index.ts';
import { type ListOrders, type ListRequest, readPage } from '../../platform/lists/index.ts';
import type { Credential, credentialStates } from './schemas.ts';

export type CredentialsFilter = {
  q?: string | undefined;
  owner_id?: string | undefined;
  state?: (typeof credentialStates)[number] | undefined;
  due?: boolean | undefined;
};

// What does not expire comes after everything else, what was never used before.
const orders: ListOrders = {
  key: { by: sql`(c.kind || ' ' || c.id) collate "C"`, type: 'text' },
  orders: {
    name: { by: sql`lower(c.name) collate "C"`, type: 'text' },
    created_at: { by: sql`c.created_at`, type: 'timestamptz' },
    expires_at: { by: sql`coalesce(c.expires_at, 'infinity')`, type: 'timestamptz' },
    due_at: { by: sql`coalesce(c.due_at, 'infinity')`, type: 'timestamptz' },
    last_used_at: { by: sql`coalesce(c.last_used_at, '-infinity')`, type: 'timestamptz' },
  },
};

// Judged by the time of the database, as what is accepted is.
const state = sql<Credential['state']>`case when c.revoked_at is not null then 'revoked'
  when c.expires_at <= t.now then 'expired' when c.stands_until > t.now then 'active' else 'inactive' end`;

/** A page of the credentials of these inventories, searched, filtered and sorted. */
export function listCredentials(
  db: Db,
  inventories: readonly RawBuilder<unknown>[],
  { sort, limit, cursor, total, ...filter }: CredentialsFilter & ListRequest,
): Promise<Page<Credential>> {
  const from = sql`(${sql.join(inventories, sql` union all `)}) c cross join (select latchkey_now() as now offset 0) t
    left join subjects s on s.id = c.owner_id left join users u on u.id = s.id left join clients o on o.id = s.id
    where ${sql.join(conditionsOf(filter), sql` and `)}`;
  return readPage({ sort, limit, cursor, total }, orders, {
    read: async ({ after, orderBy, place, limit: most }) => {
      const { rows } = await sql<Credential & { place: Place }>`
        select c.kind, c.id, c.name, c.risk, c.environment, c.version, c.created_at, c.last_used_at, c.expires_at, c.due_at,
          c.location, c.revoked_at, ${state} as state, ${place} as place,
          case when s.id is not null then json_build_object('kind', s.kind, 'id', s.id,
            'name', coalesce(u.username, o.client_id)) end as owner
        from ${from} and ${after} order by ${orderBy} limit ${most}`.execute(db);
      return rows;
    },
    count: async (most) => {
      const { rows } = await sql<{ total: number }>`
        select count(*)::int as total from (select from ${from} limit ${most}) counted`.execute(db);
      return rows[0]?.total ?? 0;
    },
  });
}

function conditionsOf({ q, owner_id, state: wanted, due }: CredentialsFilter): RawBuilder<unknown>[] {
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
