import { eventColumns } from '../../../domain/audit/index.ts';
import { accessTokenColumns, accessTokenOwners } from '../unit-of-work/index.ts';
import { type GrantType, grantTypes } from './grants/index.ts';

/**
 * The statement of the commit (DESIGN.md §5), composed from the list of grant types. It is one transaction: it locks, judges,
 * writes and records. Nothing that it judges can change unnoticed between its snapshot and its own commit:
 *
 * - It locks the grant of each unit, and the family or code that the unit changes, with `skip locked`: it never waits, so that no
 *   lock is got because another transaction has just changed the row and ended. A row that another holds makes its unit `busy`.
 * - A row may have been changed between the snapshot and the lock by a transaction that has ended since. PostgreSQL then locks the
 *   newest version, checks the condition of the locking query with it, and returns its values. A unit is judged only if these are the
 *   values of the snapshot (`isHeld`), and is `busy` otherwise. So what a unit is judged by is the newest version, and it stays so,
 *   because the row is locked until the commit. Judging locked rows by the snapshot would fork families.
 * - A `busy` unit wrote nothing, and is judged again by another statement, whose snapshot is younger.
 * - Clients, users, APIs, keys and trusts are not locked: written rows contain the epochs from the snapshot that they were judged
 *   in. If one is revoked after that snapshot, its epoch changes, and the written rows are no longer active.
 */

/** What the units of a batch need: the statement leaves out parts that none of them needs. */
export type BatchShape = { grants: readonly GrantType[]; tokens: readonly TokenForm[] };

/** The table of an access token, and the owner of its row. */
type TokenForm = 'opaque' | 'structured';

/** The shape of any batch. */
export const wholeShape: BatchShape = { grants: grantTypes, tokens: ['opaque', 'structured'] };

type Columns = Readonly<Record<string, string>>;

const unitColumns = { n: 'int', source: 'text', client_id: 'uuid', client_secret_id: 'uuid' };
const clientColumns = { client_epoch: 'int' };
const keyColumns = { user_id: 'uuid', api_key_id: 'uuid', api_key_version: 'int' };
const personColumns = {
  user_id: 'uuid',
  grant_id: 'uuid',
  family_id: 'uuid',
  presented: 'bytea',
  successor: 'bytea',
  next_key_id: 'int',
  grace_seconds: 'int',
  refresh_handle: 'bytea',
  refresh_digest: 'bytea',
  refresh_payload: 'json',
  refresh_expires_at: 'timestamptz',
  refresh_absolute_expires_at: 'timestamptz',
};
/** How access tokens of each format are stored. */
const forms: Readonly<Record<TokenForm, { table: string; unit: Columns; key: Columns; expires_at: string }>> = {
  opaque: {
    table: 'access_tokens',
    unit: { access_digest: 'bytea' },
    key: { digest: 'access_digest' },
    // A JWT states its own expiry; an opaque token gets the same lifetime from now on.
    expires_at: 'at + (access_expires_at - access_issued_at)',
  },
  structured: {
    table: 'jwt_access_tokens',
    unit: { access_jti: 'text', status_list_id: 'int', status_index: 'int' },
    key: { jti: 'access_jti', status_list_id: 'status_list_id', status_index: 'status_index' },
    expires_at: 'access_expires_at',
  },
};

const isForPerson = ({ onBehalfOf }: GrantType) => onBehalfOf === 'person';

/** Whether units of this shape are issued under grants. */
const areUnderGrants = ({ grants }: BatchShape): boolean => grants.some(isForPerson);

/** The members of the units' rows that a statement reads, each with its type. */
function columnsOf(shape: BatchShape): Columns {
  const { grants, tokens } = shape;
  return {
    ...unitColumns,
    ...(grants.every(isForPerson) ? {} : clientColumns),
    ...(areUnderGrants(shape) ? personColumns : {}),
    ...(grants.some(({ onBehalfOf }) => onBehalfOf === 'api_key') ? keyColumns : {}),
    ...Object.assign({}, ...grants.map(({ unit = {} }) => unit)),
    ...Object.assign({}, ...tokens.map((form) => forms[form].unit)),
    ...Object.fromEntries(Object.entries(accessTokenColumns).map(([column, type]) => [`access_${column}`, type])),
    ...eventColumns,
  };
}

/** Judges the units of a batch of this shape, writes those that won, and records each. */
export function judgeStatement(shape: BatchShape): string {
  const { grants } = shape;
  const columns = columnsOf(shape);
  const ofGrants = grants.flatMap(({ writes = {} }) => Object.entries(writes));
  const writes = [...ofGrants, ...Object.entries(writesOf(shape, columns))];
  return `
with judged as materialized (
  select facts.*, case
    when owners_stand is not true or source_lives is not true then 'revoked'
    when is_client_as_known is not true then 'stale'
    ${areUnderGrants(shape) ? `when is_held is not true then 'busy'` : ''}
    else ${caseOfSource(grants, ({ verdict }) => verdict, `'won'`)}
    end as verdict
  from (${factsOf(shape, columns)}) facts
)${writes.map(([name, text]) => `, ${name} as (\n  ${text}\n)`).join('')}
select n, verdict from judged`;
}

/** A value that depends on the grant type of a unit; a constant if all grant types have the same. */
function caseOfSource(
  grants: readonly GrantType[],
  sql: (grant: GrantType) => string | undefined,
  otherwise: string,
): string {
  const [only, ...others] = grants;
  if (only && others.length === 0) return sql(only) ?? otherwise;
  const cases = grants.flatMap((grant) => {
    const text = sql(grant);
    return text === undefined ? [] : `\n      when '${grant.source}' then ${text}`;
  });
  return `case source ${cases.join('')}\n      else ${otherwise} end`;
}

const sourcesThat = (grants: readonly GrantType[], does: (grant: GrantType) => boolean | undefined) =>
  grants.filter(does).map(({ source }) => `'${source}'`);

function factsOf(shape: BatchShape, columns: Columns): string {
  const presented = presentedOf(shape);
  const presentedColumns = presented.flatMap(({ source, columns }) =>
    columns.map((column) => `${source}.${column} as ${source}_${column}`),
  );
  const has = (column: string) => column in columns;
  // A grant is active only while its client is enabled.
  const readsClients = !shape.grants.every(isForPerson);
  return `
  select ${['u.*', ...presentedColumns].join(', ')}, (select latchkey_now()) as at,
    ${readsClients ? 'c.enabled and ' : ''}(r.id is null or r.enabled) as owners_stand,
    ${has('client_epoch') ? '(u.client_epoch is null or u.client_epoch = c.epoch) and ' : ''}(u.client_secret_id is null or (
      select s.ends_at > $2 from standing_client_secrets s where s.id = u.client_secret_id limit 1)) as is_client_as_known,
    ${has('client_epoch') ? `${has('grant_id') ? 'case when u.grant_id is null then c.epoch end' : 'c.epoch'} as token_client_epoch, ` : ''}r.epoch as resource_server_epoch,
    ${caseOfSource(shape.grants, ({ lives = 'true' }) => lives, 'false')} as source_lives${areUnderGrants(shape) ? `,\n    ${isHeld(shape)} as is_held` : ''}
  from json_to_recordset($1::json) as u(${Object.entries(columns)
    .map(([column, type]) => `${column} ${type}`)
    .join(', ')})
    ${readsClients ? 'left join clients c on c.id = u.client_id' : ''}
    left join resource_servers r on r.identifier = u.access_audience
    ${[...presented.map(({ join }) => join), ...(areUnderGrants(shape) ? locksOf(shape) : [])].join('\n    ')}`;
}

const presentedOf = ({ grants }: BatchShape) =>
  grants.flatMap(({ source, presented }) => (presented ? [{ source, ...presented }] : []));

/** Locks the rows that units change, and their grants: joins of rows that no other transaction holds, with their newest values. */
function locksOf(shape: BatchShape): string[] {
  const lock = (name: string, rows: string, columns: readonly string[] = []) =>
    `left join lateral (select ${['true as is_locked', ...columns].join(', ')} from ${rows} for no key update skip locked) ${name} on true`;
  return [
    lock('held_grant', 'grants where id = u.grant_id and revoked_at is null'),
    ...presentedOf(shape).flatMap(({ source, changes, columns }) =>
      changes ? [lock(`held_${source}`, `${changes} and u.source = '${source}'`, columns)] : [],
    ),
  ];
}

/** Whether a unit has its locks, and the values that it is judged by are those of the locked rows. */
function isHeld(shape: BatchShape): string {
  const changing = presentedOf(shape).filter(({ changes }) => changes);
  const cases = changing.map(({ source, columns }) => {
    const [held, seen] = [`held_${source}`, source].map((row) =>
      columns.map((column) => `${row}.${column}`).join(', '),
    );
    return `when '${source}' then held_${source}.is_locked and (${held}) is not distinct from (${seen})`;
  });
  return `(u.grant_id is null or held_grant.is_locked) and case u.source ${cases.join('\n      ')} else true end`;
}

/** Writes that all grant types share, each under its name. */
function writesOf(shape: BatchShape, columns: Columns): Record<string, string> {
  const { grants, tokens } = shape;
  const begin = sourcesThat(grants, ({ beginsFamily }) => beginsFamily);
  const canEnd = grants.some(({ recorded }) => recorded.reuse ?? recorded.used);
  return {
    ...(canEnd ? { ended: endFamilies } : {}),
    ...(begin.length > 0 ? { begun: `${beginFamilies} and source in (${begin})` } : {}),
    ...Object.fromEntries(tokens.map((form) => [form, insertTokens(form, shape, columns)])),
    recorded: recordEvents(grants),
    detailed: `insert into audit_personal_details (event_id, salt, address, user_agent)
  select event_id, salt, address, user_agent from judged where salt is not null and ${isRecorded}`,
  };
}

const endFamilies = `update refresh_families f set revoked_at = $2, revoked_for = j.verdict
  from judged j where f.id = j.family_id and j.verdict in ('reuse', 'used') and f.revoked_at is null`;

const beginFamilies = `insert into refresh_families (id, grant_id, client_id, user_id, handle_digest, digest, key_id, payload, issued_at, expires_at, absolute_expires_at)
  select family_id, grant_id, client_id, user_id, refresh_handle, refresh_digest, next_key_id, refresh_payload, at,
    refresh_expires_at, coalesce(refresh_absolute_expires_at, $2 + interval '2 days')
  from judged where verdict = 'won'`;

/**
 * Stores access tokens of one form. Their issue time is the database's, so `revoke --before` does not depend on the clock of a node.
 */
function insertTokens(form: TokenForm, { grants }: BatchShape, columns: Columns): string {
  const { table, key, expires_at } = forms[form];
  const [present] = Object.values(key);
  const stored: Columns = {
    ...key,
    ...Object.fromEntries(accessTokenOwners.filter((column) => column in columns).map((column) => [column, column])),
    ...Object.fromEntries(Object.keys(accessTokenColumns).map((column) => [column, `access_${column}`])),
    ...{ issued_at: 'at', expires_at, resource_server_epoch: 'resource_server_epoch' },
    ...('client_epoch' in columns ? { client_epoch: 'token_client_epoch' } : {}),
    ...Object.assign({}, ...grants.map(({ epochs = {} }) => epochs)),
  };
  return `insert into ${table} (${Object.keys(stored).join(', ')})
  select ${Object.values(stored).join(', ')}
  from judged where verdict in ('won', 'grace') and ${present} is not null`;
}

const isRecorded = `verdict not in ('busy', 'revoked', 'stale')`;

/** A verdict other than `won`, whose action the unit names, has its own action, and a reason. */
function recordEvents(grants: readonly GrantType[]): string {
  const said = (member: 'action' | 'reason') =>
    grants.flatMap(({ source, recorded }) =>
      Object.entries(recorded).flatMap(([verdict, each]) =>
        verdict === 'won' || each[member] === undefined
          ? []
          : `\n      when verdict = '${verdict}' and source = '${source}' then '${each[member]}'`,
      ),
    );
  const reasons = said('reason');
  return `insert into audit_events (id, occurred_at, actor_kind, actor_id, action, target_kind, target_id, outcome, reason,
    request_id, details, personal_digest)
  select event_id, $2, actor_kind, actor_id,
    case when verdict = 'won' then action ${said('action').join('')} end,
    target_kind, target_id, case when verdict in ('won', 'grace') then 'success' else 'failure' end,
    ${reasons.length > 0 ? `case ${reasons.join('')} end` : 'null'},
    request_id, details, personal_digest
  from judged where ${isRecorded}`;
}
