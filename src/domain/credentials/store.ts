import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { Db, Trx } from '../../platform/database/index.ts';
import type { Place, SearchPage } from '../../platform/http/index.ts';
import {
  countRows,
  hasWords,
  type ListRequest,
  readPage,
  readSearchPage,
  type SearchEnd,
  type Slice,
  unsearched,
} from '../../platform/lists/index.ts';
import { allOf, comparedWith, orderOfRows, orders, type Reading, rowsOf, withId } from './branches.ts';
import type { Branch } from './kind.ts';
import type { Credential, CredentialOrder, credentialStates } from './schemas.ts';

export type CredentialsFilter = {
  q?: string | undefined;
  owner_id?: string | undefined;
  state?: (typeof credentialStates)[number] | undefined;
  due?: boolean | undefined;
};

type Condition = RawBuilder<SqlBool>;
type Row = Credential & { place: Place };

// The number of credentials that are searched for one page.
const searchedAtOnce = 2000;

// The time of the database, which also decides what is accepted.
const now = sql`(select latchkey_now())`;

type StateColumns = Pick<Branch['columns'], 'revoked_at' | 'expires_at' | 'stands_until'>;

function stateIn({ revoked_at, expires_at, stands_until }: StateColumns): RawBuilder<Credential['state']> {
  return sql`case when ${revoked_at} is not null then 'revoked'
    when ${expires_at} <= ${now} then 'expired' when ${stands_until} > ${now} then 'active' else 'inactive' end`;
}

/**
 * A page of the credentials in some branches. Each branch is read in the order of an index, as far as the page needs; for an owner, who
 * has few, it is read whole. Without an owner, credentials are searched for the other filters (`readSearchPage`).
 */
export async function listCredentials(
  db: Db,
  branches: readonly Branch[],
  { sort, limit, cursor, total, owner_id, ...filter }: CredentialsFilter & ListRequest,
): Promise<SearchPage<Credential>> {
  const request = { sort, limit, cursor, total };
  const order = sort.replace(/^-/, '') as CredentialOrder;
  const owned = (branch: Branch) => (owner_id === undefined ? [] : [branch.ownedBy(owner_id)]);
  const matching = (branch: Branch) => [...owned(branch), ...conditionsOf(branch, filter)];
  if (owner_id === undefined && Object.values(filter).some((value) => value !== undefined))
    return readSearchPage(request, orders, async (slice) => {
      const end = await endOfSearch(db, branches, { ...slice, order });
      return { end, rows: await readRows(db, branches, { ...slice, order, end: end?.place, where: matching }) };
    });
  const page = await readPage(request, orders, {
    read: (slice) => readRows(db, branches, { ...slice, order, where: matching }),
    count: (most) => countIn(db, branches, { where: matching, most }),
  });
  return { ...page, ...unsearched };
}

/** The credential with an id in one of these branches. */
export async function findIn(db: Db, branches: readonly Branch[], id: string): Promise<Credential | undefined> {
  const named = branches.flatMap((branch) => {
    const isNamed = withId(branch, id);
    return isNamed ? [rowsOf(branch, { order: 'name', isReversed: false, where: [isNamed], limit: 1 })] : [];
  });
  return named.length === 0 ? undefined : (await credentialsIn(db, named, { place: sql`null`, rest: sql`` }))[0];
}

type Rows = Slice & Reading;

async function readRows(
  db: Db,
  branches: readonly Branch[],
  { where, end, ...slice }: Rows & { where: (branch: Branch) => Condition[]; end?: Place | undefined },
): Promise<Row[]> {
  const parts = branches.map((branch) =>
    rowsOf(branch, { ...slice, where: [...where(branch), ...sliceConditions(branch, slice, end)] }),
  );
  return credentialsIn(db, parts, {
    place: slice.place,
    rest: sql`order by ${orderOfRows(slice)} limit ${slice.limit}`,
  });
}

function sliceConditions(branch: Branch, slice: Rows, end?: Place): Condition[] {
  const { start } = slice;
  return [
    ...(start ? [comparedWith(branch, slice, start.place, 'after')] : []),
    ...(end ? [comparedWith(branch, slice, end, 'upTo')] : []),
  ];
}

const stateOfRow = stateIn({
  revoked_at: sql`c.revoked_at`,
  expires_at: sql`c.expires_at`,
  stands_until: sql`c.stands_until`,
});

async function credentialsIn(
  db: Db,
  parts: readonly RawBuilder<unknown>[],
  { place, rest }: { place: RawBuilder<unknown>; rest: RawBuilder<unknown> },
): Promise<Row[]> {
  const { rows } = await sql<Row>`
    select c.kind, c.id, c.name, c.risk, c.environment, c.version, c.created_at, c.last_used_at, c.expires_at, c.due_at,
      c.location, c.revoked_at, ${stateOfRow} as state, ${place} as place,
      case when s.id is not null then json_build_object('kind', s.kind, 'id', s.id,
        'name', coalesce(u.username, o.client_id)) end as owner
    from (${sql.join(parts, sql` union all `)}) c
      left join subjects s on s.id = c.owner_id left join users u on u.id = s.id left join clients o on o.id = s.id
    ${rest}`.execute(db);
  return rows;
}

async function endOfSearch(db: Db, branches: readonly Branch[], slice: Rows): Promise<SearchEnd | undefined> {
  const parts = branches.map((branch) =>
    rowsOf(branch, { ...slice, where: sliceConditions(branch, slice), limit: searchedAtOnce }, 'places'),
  );
  const { rows } = await sql<SearchEnd>`
    select ${slice.place} as place, ${slice.order === 'created_at' ? sql`c.created_at` : null} as at
    from (${sql.join(parts, sql` union all `)}) c order by ${orderOfRows(slice)} offset ${searchedAtOnce - 1} limit 1`.execute(
    db,
  );
  return rows[0];
}

async function countIn(
  db: Db,
  branches: readonly Branch[],
  { where, most }: { where: (branch: Branch) => Condition[]; most: number },
): Promise<number> {
  const parts = branches.map((branch) => {
    const conditions = where(branch);
    return sql`select ${conditions.length > 1 ? branch.from : branch.counted} ${allOf(conditions)}`;
  });
  return countRows(db, sql`${sql.join(parts, sql` union all `)} limit ${most}`);
}

function conditionsOf(
  { columns }: Branch,
  { q, state: wanted, due }: Omit<CredentialsFilter, 'owner_id'>,
): Condition[] {
  const conditions: Condition[] = [];
  if (q) conditions.push(sql`(${hasWords(searchedText(columns), q)} or starts_with(${columns.id}, ${q}))`);
  if (wanted) conditions.push(sql`${stateIn(columns)} = ${wanted}`);
  if (due !== undefined) {
    const isDue = sql<SqlBool>`(coalesce(${columns.due_at} <= ${now}, false) and ${stateIn(columns)} = 'active')`;
    conditions.push(due ? isDue : sql`not ${isDue}`);
  }
  return conditions;
}

const searchedText = ({ name, location, owner_id }: Branch['columns']) =>
  sql`concat_ws(' ', ${name}, ${location}, (select u.username from users u where u.id = ${owner_id}),
    (select o.client_id from clients o where o.id = ${owner_id}))`;

export async function lockId(trx: Trx, kind: string, id: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtext('latchkey credential'), hashtext(${`${kind} ${id}`}))`.execute(trx);
}
