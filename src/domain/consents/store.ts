import { type Selectable, sql } from 'kysely';
import type { ConsentedScopes, Database } from '../../../db/schema.ts';
import type { Db, Trx } from '../../platform/database/index.ts';
import { countLive, type LiveTokens } from '../tokens/index.ts';

export type Consent = Selectable<Database['consents']>;

/** The active consent of a user for a client. */
export async function findStandingConsent(
  db: Db,
  user_id: string,
  client_id: string,
  now?: Date,
): Promise<Consent | undefined> {
  const query = db.selectFrom('consents').selectAll().where('user_id', '=', user_id).where('client_id', '=', client_id);
  const consent = await query.where('revoked_at', 'is', null).executeTakeFirst();
  return consent && (!now || !consent.expires_at || consent.expires_at > now) ? consent : undefined;
}

export async function lockStandingConsent(trx: Trx, user_id: string, client_id: string): Promise<Consent | undefined> {
  const query = trx
    .selectFrom('consents')
    .selectAll()
    .where('user_id', '=', user_id)
    .where('client_id', '=', client_id);
  return query.where('revoked_at', 'is', null).forUpdate().executeTakeFirst();
}

/** Locks a consent. @returns it with the `client_id` of its client */
export async function lockConsent(trx: Trx, id: string): Promise<(Consent & { client: string }) | undefined> {
  return trx
    .selectFrom('consents as k')
    .innerJoin('clients as c', 'c.id', 'k.client_id')
    .selectAll('k')
    .select('c.client_id as client')
    .where('k.id', '=', id)
    .forUpdate('k')
    .executeTakeFirst();
}

type NewConsent = { id: string; user_id: string; client_id: string; scopes: ConsentedScopes; created_at: Date };

/** Inserts a consent, unless another tab just did: then the caller's next query locks and returns that one. */
export async function insertConsent(trx: Trx, { created_at, scopes, ...consent }: NewConsent): Promise<void> {
  await trx
    .insertInto('consents')
    .values({ ...consent, scopes: JSON.stringify(scopes), created_at, updated_at: created_at })
    .onConflict((conflict) => conflict.columns(['user_id', 'client_id']).where('revoked_at', 'is', null).doNothing())
    .execute();
}

export async function updateConsentScopes(
  trx: Trx,
  id: string,
  scopes: ConsentedScopes,
  updated_at: Date,
): Promise<void> {
  await trx
    .updateTable('consents')
    .set((eb) => ({ scopes: JSON.stringify(scopes), updated_at, version: eb('version', '+', 1) }))
    .where('id', '=', id)
    .execute();
}

export async function markRevoked(trx: Trx, id: string, revoked_at: Date): Promise<void> {
  await trx.updateTable('consents').set({ revoked_at, updated_at: revoked_at }).where('id', '=', id).execute();
}

type GrantFilter = { id?: string; consent_id?: string; user_id?: string; exceptSession?: string | undefined };

/** Revokes grants, and with them every code, token and family under them (each of their reads joins the grant). */
export async function revokeGrants(
  trx: Trx,
  filter: GrantFilter,
  ended: { revoked_at: Date; revoked_for: string },
): Promise<string[]> {
  let query = trx.selectFrom('grants').select('id').where('revoked_at', 'is', null);
  if (filter.id) query = query.where('id', '=', filter.id);
  if (filter.consent_id) query = query.where('consent_id', '=', filter.consent_id);
  if (filter.user_id) query = query.where('user_id', '=', filter.user_id);
  if (filter.exceptSession) query = query.where(sql<boolean>`session_uid is distinct from ${filter.exceptSession}`);
  // Locked in the order of their ids, like every transaction that revokes several.
  const ids = (await query.orderBy('id').forNoKeyUpdate().execute()).map(({ id }) => id);
  if (ids.length > 0) await trx.updateTable('grants').set(ended).where('id', 'in', ids).execute();
  return ids;
}

export type Ending = LiveTokens & { sessions: number };

/** Counts the live credentials under a consent. */
export async function countUnderConsent(db: Db, consent_id: string, now: Date): Promise<Ending> {
  const { sessions } = await db
    .selectFrom('standing_grants as g')
    .select(sql<number>`count(distinct g.session_uid)::int`.as('sessions'))
    .where('g.consent_id', '=', consent_id)
    .where('g.ends_at', '>', now)
    .executeTakeFirstOrThrow();
  const meant = {
    family: sql<boolean>`f.consent_id = ${consent_id}`,
    token: sql<boolean>`t.consent_id = ${consent_id}`,
  };
  return { ...(await countLive(db, meant, now)), sessions };
}
