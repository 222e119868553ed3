import { type RawBuilder, type SqlBool, sql } from 'kysely';
import { containing } from '../../platform/database/index.ts';
import { within } from '../../platform/lists/index.ts';
import { earlierNames, storedNames } from './actions.ts';

/** The conditions of a search; all of them must hold. */
export type EventFilter = {
  /** The actor's id, or its kind and id. */
  actor_kind?: string | undefined;
  actor?: string | undefined;
  target_kind?: string | undefined;
  target?: string | undefined;
  action?: string | undefined;
  outcome?: 'success' | 'failure' | undefined;
  request_id?: string | undefined;
  from?: Date | undefined;
  /** Exclusive. */
  to?: Date | undefined;
  /** Anywhere in the event, without regard to case. */
  text?: string | undefined;
};

// The number of events that are searched at once: fewer for a text, and for events from an index, because they are scattered.
const searchedAtOnce = 10_000;
const foundAtOnce = 4000;

export type Conditions = Record<'indexed' | 'searched', RawBuilder<SqlBool>[]> & {
  /** The number of events that are searched at once. */
  most: number;
};

const renamed = Object.entries(earlierNames).map(
  ([stored, present]) => sql`when ${sql.lit(stored)} then ${sql.lit(present)}`,
);
/** The action of an event `e` by its present name. */
export const presentAction = sql<string>`case e.action ${sql.join(renamed, sql` `)} else e.action end`;

// The index of actions omits them: it would slow down every token (0004_audit_chain.ts).
const frequentActions = ['access_token.issued', 'refresh_token.rotated'];
const isRare = sql<SqlBool>`e.action not in ('access_token.issued', 'refresh_token.rotated')`;

type Condition = { sql: RawBuilder<SqlBool>; hasIndex: boolean };

/** The conditions of a filter: the time and the first other one with an index, and those that the events are searched for. */
export function conditionsOf({ from, to, ...filter }: EventFilter): Conditions {
  const asked = [...partyConditions(filter), ...otherConditions(filter)];
  const served = asked.find(({ hasIndex }) => hasIndex);
  return {
    indexed: [...(served ? [served.sql] : []), ...within(sql.ref('e.occurred_at'), { from, to })],
    searched: asked.filter((condition) => condition !== served).map((condition) => condition.sql),
    most: served || filter.text !== undefined ? foundAtOnce : searchedAtOnce,
  };
}

function partyConditions(filter: EventFilter): Condition[] {
  return (['target', 'actor'] as const).flatMap((party): Condition[] => {
    const [id, kind] = [filter[party], filter[`${party}_kind`]];
    const isOf = (column: string, value: string) => sql<SqlBool>`${sql.ref(`e.${party}_${column}`)} = ${value}`;
    const ofKind = kind === undefined ? [] : [isOf('kind', kind)];
    // An id nearly always belongs to one kind, so the kind is checked after the index.
    if (id !== undefined) return [{ sql: sql`${sql.join([isOf('id', id), ...ofKind], sql` and `)}`, hasIndex: true }];
    return ofKind.map((condition) => ({ sql: condition, hasIndex: false }));
  });
}

function otherConditions({ action, outcome, request_id, text }: EventFilter): Condition[] {
  const conditions: (Condition | undefined)[] = [
    outcome && { sql: sql`e.outcome = ${sql.lit(outcome)}`, hasIndex: outcome === 'failure' },
    action === undefined ? undefined : actionCondition(action),
    request_id === undefined ? undefined : { sql: isOfRequest(request_id), hasIndex: false },
    text === undefined ? undefined : { sql: mentions(text), hasIndex: false },
  ];
  return conditions.filter((condition) => condition !== undefined);
}

/** Equal reads of a secret may be one event that lists their requests. Details of other events may contain text that `jsonb` refuses. */
function isOfRequest(id: string): RawBuilder<SqlBool> {
  return sql`(e.request_id = ${id}
    or case when e.action = 'secret.read' then (e.details -> 'request_ids')::jsonb ? ${id} else false end)`;
}

function actionCondition(action: string): Condition {
  const isAction = sql<SqlBool>`e.action = any(${storedNames(action)})`;
  if (frequentActions.includes(action)) return { sql: isAction, hasIndex: false };
  return { sql: sql`(${isAction} and ${isRare})`, hasIndex: true };
}

function mentions(text: string): RawBuilder<SqlBool> {
  return sql`concat_ws(' ', ${presentAction}, e.actor_kind, e.actor_id, e.target_kind, e.target_id, e.reason, e.request_id,
    p.address, p.user_agent, e.details::text) ilike ${containing(text)}`;
}
