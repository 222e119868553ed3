import type { z } from 'zod';
import type { Db } from '../../platform/database/index.ts';
import { asId, listRolesFrom } from '../access/index.ts';
import { findKey, listKeys, listKeysEndingIn } from '../api-keys/index.ts';
import { findEvent } from '../audit/index.ts';
import { listClients } from '../clients/index.ts';
import { listConsents, listStandingGrants } from '../consents/index.ts';
import { listEveryWebhook } from '../notifications/index.ts';
import { listResourceServersFrom } from '../resource-servers/index.ts';
import { findActiveSession } from '../sessions/index.ts';
import { listTrusts } from '../trusts/index.ts';
import { findUser, listUsersFrom } from '../users/index.ts';
import type { SearchView, searchedKinds } from './schemas.ts';

export type SearchDeps = { db: Db; now: () => Date };

type Found = z.output<typeof SearchView>['items'][number];

/** How records of a kind are searched. Matches of an id or an exact value come first. */
export type KindSearch = {
  kind: (typeof searchedKinds)[number];
  /** The permission to read records of the kind. */
  permission: string;
  find: (deps: SearchDeps, text: string, limit: number) => Promise<Found[]>;
};

export const kindSearches: readonly KindSearch[] = [
  { kind: 'client', permission: 'latchkey:client:read', find: findClients },
  { kind: 'resource_server', permission: 'latchkey:resource_server:read', find: findResourceServers },
  { kind: 'trust', permission: 'latchkey:trust:read', find: findTrusts },
  { kind: 'user', permission: 'latchkey:user:read', find: findUsers },
  { kind: 'role', permission: 'latchkey:role:read', find: findRoles },
  { kind: 'api_key', permission: 'latchkey:api_key:read', find: findKeys },
  { kind: 'session', permission: 'latchkey:session:read', find: findSessions },
  { kind: 'consent', permission: 'latchkey:consent:read', find: findConsents },
  { kind: 'grant', permission: 'latchkey:grant:read', find: findGrants },
  { kind: 'webhook', permission: 'latchkey:webhook:read', find: findWebhooks },
  { kind: 'audit_event', permission: 'latchkey:audit:read', find: findEvents },
];

async function findClients({ db }: SearchDeps, q: string, limit: number): Promise<Found[]> {
  const { items } = await listClients(db, { q, limit, sort: 'name' });
  return items.map(({ client_id, metadata: { client_name } }) => {
    const name = typeof client_name === 'string' ? client_name : client_id;
    return { id: client_id, name, detail: client_id };
  });
}

async function findResourceServers({ db }: SearchDeps, q: string, limit: number): Promise<Found[]> {
  const { items } = await listResourceServersFrom(db, { q, limit, sort: 'name' });
  return items.map(({ identifier, name }) => ({ id: identifier, name, detail: identifier }));
}

async function findTrusts({ db }: SearchDeps, q: string, limit: number): Promise<Found[]> {
  const { items } = await listTrusts(db, { q, limit, sort: 'name' });
  return items.map(({ id, name, issuer }) => ({ id, name, detail: issuer }));
}

async function findUsers({ db, now }: SearchDeps, q: string, limit: number): Promise<Found[]> {
  const id = asId(q);
  const named = id === undefined ? undefined : await findUser(db, `id:${id}`);
  const { items } = await listUsersFrom(db, { q, limit, sort: 'username', now: now() });
  return [...(named ? [named] : []), ...items].map(({ username, name, email }) => ({
    id: username,
    name: name ?? username,
    detail: email ?? username,
  }));
}

async function findRoles({ db }: SearchDeps, q: string, limit: number): Promise<Found[]> {
  const { items } = await listRolesFrom(db, { q, limit, sort: 'name' });
  return items.map(({ name, description }) => ({ id: name, name, detail: description }));
}

async function findKeys({ db, now }: SearchDeps, q: string, limit: number): Promise<Found[]> {
  const id = asId(q);
  const named = id === undefined ? undefined : await findKey(db, { id });
  const ending = await listKeysEndingIn(db, q, limit);
  const { items } = await listKeys(db, { q, limit, sort: 'name' }, now());
  return [...(named ? [named] : []), ...ending, ...items].map(({ id, name, versions: [version] }) => ({
    id,
    name,
    detail: version ? `${version.start}…${version.last_four}` : null,
  }));
}

async function findSessions({ db, now }: SearchDeps, q: string): Promise<Found[]> {
  const session = await findActiveSession(db, q, now());
  return session ? [{ id: session.session_id, name: session.username, detail: session.address }] : [];
}

async function findConsents({ db }: SearchDeps, q: string): Promise<Found[]> {
  const consent_id = asId(q);
  if (consent_id === undefined) return [];
  const { items } = await listConsents(db, { consent_id, limit: 1, sort: 'allowed_at' });
  return items.map((consent) => ({
    id: consent.consent_id,
    name: `${consent.username}, ${consent.client_name}`,
    detail: consent.consent_id,
  }));
}

async function findGrants({ db, now }: SearchDeps, q: string): Promise<Found[]> {
  const grant_id = asId(q);
  if (grant_id === undefined) return [];
  const { items } = await listStandingGrants(db, { grant_id, limit: 1, sort: 'created_at', now: now() });
  return items.map(({ id, username, client_name }) => ({ id, name: `${username}, ${client_name}`, detail: id }));
}

// There are a hundred at most.
async function findWebhooks({ db }: SearchDeps, q: string, limit: number): Promise<Found[]> {
  const part = q.toLowerCase();
  const isFound = (text: string | null) => text?.toLowerCase().includes(part) === true;
  const all = await listEveryWebhook(db);
  const found = all.filter(({ id, url, description }) => isFound(id) || isFound(url) || isFound(description));
  return found.slice(0, limit).map(({ id, url, description }) => ({ id, name: description ?? url, detail: url }));
}

async function findEvents({ db }: SearchDeps, q: string): Promise<Found[]> {
  const id = asId(q);
  const event = id === undefined ? undefined : await findEvent(db, id);
  return event ? [{ id: event.id, name: event.action, detail: event.occurred_at.toISOString() }] : [];
}
