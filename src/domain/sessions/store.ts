import { sql } from 'kysely';
import type { Db, Trx } from '../../platform/database/index.ts';
import type { Page } from '../../platform/http/index.ts';
import { type ListOrders, type ListRequest, pageOfQuery } from '../../platform/lists/index.ts';

/** An app that was authorized in a session; a lasting one keeps its access when the session ends. */
export type AppOfSession = { name: string; lasting: boolean };

/** A session of a user, as it is listed. */
export type SignedInSession = {
  uid: string;
  address: string | null;
  user_agent: string | null;
  signed_in_at: Date;
  last_seen_at: Date;
  apps: AppOfSession[];
};

export function standing(db: Db, user_id: string, now: Date) {
  return db.selectFrom('standing_sessions as s').where('s.user_id', '=', user_id).where('s.expires_at', '>', now);
}

const apps = sql<AppOfSession[]>`coalesce((select json_agg(json_build_object(
    'name', coalesce(c.metadata ->> 'client_name', c.client_id), 'lasting', g.offline)
    order by lower(coalesce(c.metadata ->> 'client_name', c.client_id)), c.id)
  from session_clients sc join clients c on c.id = sc.client_id join standing_grants g on g.id = sc.grant_id
  where sc.session_uid = s.uid), '[]'::json)`;

const columns = ['s.uid', 's.address', 's.user_agent', 's.last_seen_at'] as const;
const signedInAt = sql<Date>`coalesce(s.login_at, s.created_at)`;

export type SessionsQuery = { now: Date; current?: string | undefined; offset: number; limit: number };

/** A user's sessions: `current` first, then the most recently seen. */
export async function listSessions(
  db: Db,
  user_id: string,
  { now, current = '', offset, limit }: SessionsQuery,
): Promise<{ sessions: SignedInSession[]; total: number }> {
  const found = standing(db, user_id, now);
  const { total } = await found.select(sql<string>`count(*)`.as('total')).executeTakeFirstOrThrow();
  const sessions = await found
    .select(columns)
    .select([signedInAt.as('signed_in_at'), apps.as('apps')])
    .orderBy(sql`s.uid = ${current} desc, s.last_seen_at desc, s.uid`)
    .offset(offset)
    .limit(limit)
    .execute();
  return { sessions, total: Number(total) };
}

const orders: ListOrders = {
  mostCounted: 500,
  key: { by: sql`s.uid`, type: 'text' },
  orders: {
    signed_in_at: { by: signedInAt, type: 'timestamptz' },
    last_seen_at: { by: sql`s.last_seen_at`, type: 'timestamptz' },
  },
};

export type ListedSession = Omit<SignedInSession, 'uid'> & { session_id: string; user_id: string; username: string };

/** A page of the active sessions of signed-in users, or of one of them. */
export function listActiveSessions(
  db: Db,
  { user_id, now, ...request }: ListRequest & { user_id?: string; now: Date },
): Promise<Page<ListedSession>> {
  const found = db
    .selectFrom('standing_sessions as s')
    .where('s.expires_at', '>', now)
    .where('s.user_id', 'is not', null)
    .$if(user_id !== undefined, (query) => query.where('s.user_id', '=', user_id ?? ''))
    .select(['s.uid as session_id', 's.address', 's.user_agent', 's.last_seen_at'])
    .select([sql<string>`s.user_id`.as('user_id'), sql<string>`s.username`.as('username')])
    .select([signedInAt.as('signed_in_at'), apps.as('apps')]);
  return pageOfQuery(db, found, orders, request);
}

/** An active session of a signed-in user; undefined: there is none of this id. */
export async function findActiveSession(
  db: Db,
  uid: string,
  now: Date,
): Promise<Pick<ListedSession, 'session_id' | 'username' | 'address'> | undefined> {
  return db
    .selectFrom('standing_sessions as s')
    .select(['s.uid as session_id', 's.address', sql<string>`s.username`.as('username')])
    .where('s.uid', '=', uid)
    .where('s.user_id', 'is not', null)
    .where('s.expires_at', '>', now)
    .executeTakeFirst();
}

/** An active session of a user. */
export async function findSession(
  db: Db,
  user_id: string,
  { uid, now }: { uid: string; now: Date },
): Promise<SignedInSession | undefined> {
  return standing(db, user_id, now)
    .where('s.uid', '=', uid)
    .select(columns)
    .select([signedInAt.as('signed_in_at'), apps.as('apps')])
    .executeTakeFirst();
}

export type EndingElsewhere = { sessions: number; apps: number; lasting: number };

/** The impact of revoking all sessions but one, and how many apps keep their access. */
export async function countElsewhere(
  db: Db,
  user_id: string,
  { current, now }: { current: string; now: Date },
): Promise<EndingElsewhere> {
  const grantsOf = (offline: boolean) => sql<number>`(select count(distinct sc.client_id)::int from session_clients sc
    join standing_grants g on g.id = sc.grant_id and g.offline = ${offline}
    where sc.session_uid = any(array_agg(s.uid)))`;
  return standing(db, user_id, now)
    .where('s.uid', '!=', current)
    .select([sql<number>`count(*)::int`.as('sessions'), grantsOf(false).as('apps'), grantsOf(true).as('lasting')])
    .executeTakeFirstOrThrow();
}

/** Sessions that began with an account at a provider, or with one session there. */
export type ProviderSessions = {
  trust_id: string;
  identity_id: string | undefined;
  upstream_sid: string | undefined;
};

/** The active ones of these sessions, in the order in which they are locked. */
export async function listProviderSessions(
  db: Db,
  { trust_id, identity_id, upstream_sid }: ProviderSessions,
  now: Date,
): Promise<string[]> {
  const rows = await db
    .selectFrom('standing_sessions as s')
    .select('s.uid')
    .where('s.trust_id', '=', trust_id)
    .where('s.expires_at', '>', now)
    .$if(identity_id !== undefined, (query) => query.where('s.identity_id', '=', identity_id ?? ''))
    .$if(upstream_sid !== undefined, (query) => query.where('s.upstream_sid', '=', upstream_sid ?? ''))
    .orderBy('s.uid')
    .execute();
  return rows.map(({ uid }) => uid);
}

type SessionFilter = { uid: string } | { user_id: string; exceptSession: string | undefined; now: Date };

export type LockedSession = { uid: string; user_id: string | null; revoked_at: Date | null };

/**
 * Locks one session, or all active sessions of a user except one. Grants come before sessions, each in the order of ids: an
 * authorization request locks in the same order, and two browsers that sign each other out must not deadlock.
 */
export async function lockSessions(trx: Trx, filter: SessionFilter): Promise<LockedSession[]> {
  const wanted =
    'uid' in filter
      ? trx.selectFrom('sessions as s').select('s.uid').where('s.uid', '=', filter.uid)
      : standing(trx, filter.user_id, filter.now)
          .select('s.uid')
          .$if(filter.exceptSession !== undefined, (all) => all.where('s.uid', '!=', filter.exceptSession ?? ''));
  await trx
    .selectFrom('grants')
    .select('id')
    .where('session_uid', 'in', wanted)
    .where('offline', '=', false)
    .where('revoked_at', 'is', null)
    .orderBy('id')
    .forNoKeyUpdate()
    .execute();
  return trx
    .selectFrom('sessions')
    .select(['uid', 'user_id', 'revoked_at'])
    .where('uid', 'in', wanted)
    .orderBy('uid')
    .forUpdate()
    .execute();
}

type Ended = { uids: string[]; revoked_at: Date; revoked_for: string };

/** Revokes sessions and the grants that end with them, and so all codes, tokens and families under these. */
export async function markEnded(trx: Trx, { uids, revoked_at, revoked_for }: Ended): Promise<void> {
  await trx.updateTable('sessions').set({ revoked_at }).where('uid', 'in', uids).execute();
  await trx
    .updateTable('grants')
    .set({ revoked_at, revoked_for })
    .where('session_uid', 'in', uids)
    .where('offline', '=', false)
    .where('revoked_at', 'is', null)
    .execute();
}

export type ClientToNotify = { session_uid: string; client_id: string; sid: string | null };

/** The clients to notify of the end of these sessions (OpenID Connect Back-Channel Logout 1.0 §2.2). */
export async function listClientsToNotify(db: Db, uids: string[]): Promise<ClientToNotify[]> {
  return db
    .selectFrom('session_clients as sc')
    .innerJoin('clients as c', 'c.id', 'sc.client_id')
    .select(['sc.session_uid', 'c.client_id', 'sc.sid'])
    .where('sc.session_uid', 'in', uids)
    .where('c.enabled', '=', true)
    .where(sql<boolean>`c.metadata ->> 'backchannel_logout_uri' is not null`)
    .execute();
}

/** Whether this session was last seen before a time. */
export async function wasSeenBefore(db: Db, uid: string, moment: Date): Promise<boolean> {
  const query = db.selectFrom('sessions').select('uid').where('uid', '=', uid).where('last_seen_at', '<', moment);
  return (await query.executeTakeFirst()) !== undefined;
}

type Seen = { uid: string; last_seen_at: Date; address: string | null; user_agent: string | null };

export async function markSeen(trx: Trx, { uid, ...seen }: Seen): Promise<void> {
  await trx.updateTable('sessions').set(seen).where('uid', '=', uid).where('revoked_at', 'is', null).execute();
}
