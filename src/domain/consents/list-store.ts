import { sql } from 'kysely';
import type { ConsentedScopes, RegisteredBy } from '../../../db/schema.ts';
import type { Db } from '../../platform/database/index.ts';
import type { Page } from '../../platform/http/index.ts';
import { hasWords, type ListOrders, type ListRequest, pageOfQuery } from '../../platform/lists/index.ts';
import { isUser } from '../access/index.ts';

export type ConnectedApp = {
  consent_id: string;
  client_id: string;
  client_name: string;
  registered_by: RegisteredBy;
  scopes: ConsentedScopes;
  allowed_at: Date;
  expires_at: Date | null;
  last_used_at: Date | null;
};

/** A connected app with its redirect URIs. */
type OwnApp = ConnectedApp & { redirect_uris: unknown };

export type ConnectedAppsQuery = {
  q: string;
  sort: 'name' | 'allowed_at' | 'last_used_at';
  offset: number;
  limit: number;
};

const clientName = sql<string>`coalesce(c.metadata ->> 'client_name', c.client_id)`;

const redirectUris = sql<unknown>`c.metadata -> 'redirect_uris'`;

const appColumns = [
  'k.id as consent_id',
  'c.client_id',
  'c.registered_by',
  'k.scopes',
  'k.created_at as allowed_at',
  'k.expires_at',
] as const;

function connectedApps(db: Db, user_id: string) {
  return db
    .selectFrom('consents as k')
    .innerJoin('clients as c', 'c.id', 'k.client_id')
    .where('k.user_id', '=', user_id)
    .where('k.revoked_at', 'is', null);
}

// Every token of a user comes from the redemption of a code, which starts a family, or from a rotation of the family.
const lastUsed = sql<Date | null>`(select max(coalesce(f.rotated_at, f.issued_at)) from refresh_families f join grants g on g.id = f.grant_id where g.consent_id = k.id)`;

const orders = {
  name: sql`lower(${clientName})`,
  allowed_at: sql`k.created_at desc`,
  last_used_at: sql`${lastUsed} desc nulls last`,
} as const;

/** The apps a person has allowed, searched, sorted and paged. */
export async function listConnectedApps(
  db: Db,
  user_id: string,
  query: ConnectedAppsQuery,
): Promise<{ apps: OwnApp[]; total: number }> {
  const { q } = query;
  const found = connectedApps(db, user_id).$if(q !== '', (apps) => apps.where(hasWords(clientName, q)));
  const { total } = await found.select(sql<string>`count(*)`.as('total')).executeTakeFirstOrThrow();
  const apps = await found
    .select(appColumns)
    .select([clientName.as('client_name'), redirectUris.as('redirect_uris'), lastUsed.as('last_used_at')])
    .orderBy(orders[query.sort])
    .orderBy('k.id')
    .offset(query.offset)
    .limit(query.limit)
    .execute();
  return { apps, total: Number(total) };
}

/** One of a person's connected apps. */
export async function findConnectedApp(db: Db, user_id: string, consent_id: string): Promise<OwnApp | undefined> {
  return connectedApps(db, user_id)
    .where('k.id', '=', consent_id)
    .select(appColumns)
    .select([clientName.as('client_name'), redirectUris.as('redirect_uris'), lastUsed.as('last_used_at')])
    .executeTakeFirst();
}

export type ListedConsent = ConnectedApp & { user_id: string; username: string; revoked_at: Date | null };

export type ConsentsQuery = ListRequest & {
  consent_id?: string | undefined;
  user?: string | undefined;
  client_id?: string | undefined;
  standing?: boolean | undefined;
};

// UUIDv7 ids grow with time.
const consentOrders: ListOrders = {
  key: { by: sql`k.id`, type: 'uuid' },
  orders: { allowed_at: 'key' },
  mostCounted: 500,
};

/** Consents filtered by user (`isUser`), client and state. */
export function listConsents(
  db: Db,
  { consent_id, user, client_id, standing, ...request }: ConsentsQuery,
): Promise<Page<ListedConsent>> {
  let query = db
    .selectFrom('consents as k')
    .innerJoin('clients as c', 'c.id', 'k.client_id')
    .innerJoin('users', 'users.id', 'k.user_id')
    .select([
      'k.id as consent_id',
      'k.user_id',
      'users.username',
      'c.client_id',
      'c.registered_by',
      'k.scopes',
      'k.created_at as allowed_at',
    ])
    .select(['k.expires_at', 'k.revoked_at', clientName.as('client_name'), lastUsed.as('last_used_at')]);
  if (consent_id) query = query.where('k.id', '=', consent_id);
  if (user) query = query.where(isUser(user));
  if (client_id) query = query.where('c.client_id', '=', client_id);
  if (standing !== undefined) query = query.where('k.revoked_at', standing ? 'is' : 'is not', null);
  return pageOfQuery(db, query, consentOrders, request);
}

export type ListedGrant = {
  id: string;
  user_id: string;
  username: string;
  client_id: string;
  client_name: string;
  consent_id: string | null;
  session_id: string | null;
  offline: boolean;
  created_at: Date;
};

type GrantsQuery = Omit<ConsentsQuery, 'standing' | 'consent_id'> & { grant_id?: string | undefined; now: Date };

const grantOrders: ListOrders = {
  key: { by: sql`g.id`, type: 'uuid' },
  orders: { created_at: { by: sql`g.created_at`, type: 'timestamptz' } },
  mostCounted: 500,
};

/** Active grants, filtered by user (`isUser`) and client. */
export function listStandingGrants(
  db: Db,
  { grant_id, user, client_id, now, ...request }: GrantsQuery,
): Promise<Page<ListedGrant>> {
  let query = db
    .selectFrom('standing_grants as g')
    .innerJoin('users', 'users.id', 'g.user_id')
    .innerJoin('clients as c', 'c.id', 'g.client_id')
    .select(['g.id', 'g.user_id', 'g.username', 'g.client as client_id', 'g.consent_id', 'g.offline', 'g.created_at'])
    .select(['g.session_uid as session_id', clientName.as('client_name')])
    .where('g.ends_at', '>', now);
  if (grant_id) query = query.where('g.id', '=', grant_id);
  if (user) query = query.where(isUser(user));
  if (client_id) query = query.where('g.client', '=', client_id);
  return pageOfQuery(db, query, grantOrders, request);
}

export type GivenConsent = {
  client_id: string;
  client_name: string;
  scopes: ConsentedScopes;
  allowed_at: Date;
  expires_at: Date | null;
  revoked_at: Date | null;
};

/** Every consent that a user ever gave, revoked ones included, for the download of their data. */
export async function listEveryConsentOf(db: Db, user_id: string): Promise<GivenConsent[]> {
  return db
    .selectFrom('consents as k')
    .innerJoin('clients as c', 'c.id', 'k.client_id')
    .where('k.user_id', '=', user_id)
    .select(['c.client_id', clientName.as('client_name'), 'k.scopes', 'k.created_at as allowed_at'])
    .select(['k.expires_at', 'k.revoked_at'])
    .orderBy('k.created_at')
    .execute();
}
