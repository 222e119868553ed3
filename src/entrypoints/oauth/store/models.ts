import { type Insertable, sql } from 'kysely';
import type { Adapter, AdapterPayload } from 'oidc-provider';
import type { ConsentedScopes, Database as Tables } from '../../../../db/schema.ts';
import { isClientId, isSecretMethod } from '../../../domain/clients/index.ts';
import { type Sealed, type SealedPlace, seal, unseal } from '../../../platform/crypto/index.ts';
import { Cache, type ChangeFeed, type Database, type Db, type Trx } from '../../../platform/database/index.ts';
import type { ServerKeys } from '../../../platform/keys/index.ts';
import { lifetimesMember } from '../provider/lifetimes.ts';
import { intersection, union } from '../scopes/consented-scopes.ts';
import { scopesIn } from '../scopes/request-bounds.ts';
import { currentUnit, LostRaceError, type Unit } from '../unit-of-work/index.ts';
import type { Reader } from './reader.ts';
import {
  type ClientRecord,
  type GrantRecord,
  readClient,
  readGrant,
  type SessionRecord,
  type UnderGrant,
} from './reads.ts';
import { type TrustDeps, trustedScopes } from './trusted-scopes.ts';

export type StoreDeps = {
  db: Db;
  database: Database;
  reader: Reader;
  keys: ServerKeys;
  now: () => Date;
  knownClients: KnownClients;
};

const mostClients = 10_000;

/** The clients that this node has met, forgotten within a second of a change (DESIGN.md §8). */
export type KnownClients = Cache<ClientRecord>;

export const knownClients = (changes: ChangeFeed): KnownClients => new Cache(changes, 'client', mostClients);

/** One model's storage; what is not written here is refused, so that a feature switched on without a table fails loudly. */
export type ModelStore = Partial<
  Pick<Adapter, 'upsert' | 'find' | 'findByUid' | 'findByUserCode' | 'consume' | 'destroy'>
>;

export type Payload = AdapterPayload & Record<string, unknown>;

/** Encrypts a payload that holds secrets or request parameters; its own id never goes in with it unless it was put there. */
export function sealPayload(keys: ServerKeys, place: SealedPlace, payload: Payload): Sealed {
  return seal(keys.current('interaction').key, place, JSON.stringify(payload));
}

export function openPayload(keys: ServerKeys, place: SealedPlace, sealed: Sealed): Payload {
  return JSON.parse(unseal(keys.current('interaction').key, place, sealed).toString());
}

// oidc-provider wants some secret for these methods; the real ones are compared as digests (client-authentication.ts).
const secretElsewhere = 'compared as digests';

/** What it takes to know clients. */
export type ClientDeps = Pick<StoreDeps, 'reader' | 'knownClients'>;

/** The client with this id; undefined: unknown or disabled. It does not change during a request. */
export async function findClientRecord(deps: ClientDeps, client_id: string): Promise<ClientRecord | undefined> {
  // Ids also come out of unverified JWTs; one that PostgreSQL refuses would fail every read coalesced with it.
  if (!isClientId(client_id)) return undefined;
  const record = await currentUnit().remember(`client:${client_id}`, () =>
    deps.knownClients.get(client_id, () => readClientRecord(deps, client_id)),
  );
  return record?.enabled ? record : undefined;
}

/** The row id of the client that something is stored for. @throws LostRaceError: unknown or disabled */
export async function idOfClient(deps: ClientDeps, client_id: string): Promise<string> {
  const record = await findClientRecord(deps, client_id);
  if (!record) throw new LostRaceError('the client was disabled');
  return record.id;
}

/** The client as it stands in the database. */
export async function readClientRecord({ reader }: ClientDeps, client_id: string): Promise<ClientRecord | undefined> {
  const row = await reader.find<{ client: ClientRecord }>(readClient, client_id);
  return row?.client;
}

/** What came joined with a credential is not read again. */
export function rememberJoined({ grant, person }: UnderGrant): void {
  const unit = currentUnit();
  if (grant) unit.fill(`grant:${grant.id}`, grant);
  if (person) unit.fill(`user:${person.id}`, person);
}

export function clientStore(deps: StoreDeps): ModelStore {
  return {
    find: async (client_id) => {
      const record = await findClientRecord(deps, client_id);
      if (!record) return undefined;
      const metadata = metadataOf(record);
      const client_secret = isSecretMethod(metadata.token_endpoint_auth_method)
        ? { client_secret: secretElsewhere }
        : {};
      const lifetimes = { [lifetimesMember]: record.lifetimes };
      return { ...metadata, ...client_secret, ...jwksOf(record), ...lifetimes, client_id } as Payload;
    },
  };
}

/**
 * To present a key or an assertion takes no registration for it, and nothing else is possible in that request. Where it answers for
 * the client, no more is asked of that.
 */
function metadataOf({ client_id, metadata }: ClientRecord): ClientRecord['metadata'] {
  const { presentedKey, presentedAssertion } = currentUnit();
  const presented = presentedKey ?? presentedAssertion;
  if (!presented) return metadata;
  const exchanging = { ...metadata, grant_types: [presented.grant_type], response_types: [] };
  if (presented.answersFor !== client_id) return exchanging;
  const { token_endpoint_auth_signing_alg: _, ...rest } = exchanging as typeof exchanging & Record<string, unknown>;
  return { ...rest, token_endpoint_auth_method: 'none' };
}

/** EdDSA and Ed25519 name one algorithm (RFC 9864 §2.2); libraries differ in which they send, so a key answers to both. */
function jwksOf({ metadata }: ClientRecord): { jwks?: { keys: Record<string, unknown>[] } } {
  const { keys } = (metadata.jwks ?? {}) as { keys?: Record<string, unknown>[] };
  const answering = ({ alg: _, ...key }: Record<string, unknown>) => key;
  return keys ? { jwks: { keys: keys.map((key) => (key.crv === 'Ed25519' ? answering(key) : key)) } } : {};
}

/** The grant of this id, while it stands. Read once per request. */
async function findGrantRecord({ reader }: Pick<StoreDeps, 'reader'>, id: string): Promise<GrantRecord | undefined> {
  return currentUnit().remember(`grant:${id}`, async () => {
    const row = await reader.find<{ grant: GrantRecord }>(readGrant, id);
    return row?.grant;
  });
}

export function grantStore(deps: StoreDeps & TrustDeps): ModelStore {
  return {
    find: async (id) => {
      const record = await findGrantRecord(deps, id);
      const given = record && (await standingPart(deps, record));
      if (!given) return undefined;
      return {
        ...given,
        kind: 'Grant',
        jti: id,
        accountId: record.user_id,
        clientId: record.client_id,
      } as Payload;
    },
    upsert: async (id, payload) => {
      const unit = currentUnit();
      const { openid, resources, rejected, accountId, clientId } = payload;
      const client_id = await idOfClient(deps, String(clientId));
      const { consent_id = null, session_uid = null, offline = false, consented } = unit.grantOrigin ?? {};
      const user_id = String(accountId);
      const user_epoch = session_uid ? await epochOfSession(unit, session_uid, user_id) : null;
      const grant = {
        ...{ id, user_id, client_id, consent_id, session_uid, offline, user_epoch, created_at: deps.now() },
        payload: JSON.stringify({ openid, resources, rejected, consented }),
      };
      unit.operations.push(async (trx) => {
        if (consent_id) await holdConsent(trx, consent_id);
        await saveGrant(trx, grant);
      });
      return undefined;
    },
    destroy: async (id) => {
      const unit = currentUnit();
      const revoked_at = deps.now();
      unit.operations.push(async (trx) => {
        const ended = { revoked_at, revoked_for: 'signed out' };
        await trx.updateTable('grants').set(ended).where('id', '=', id).where('revoked_at', 'is', null).execute();
      });
      return undefined;
    },
  };
}

/**
 * The epoch that a grant carries which is made in this session for this person: the session's, which nothing reads again. Null: an
 * older version signed them in.
 */
async function epochOfSession(unit: Unit, uid: string, user_id: string): Promise<number | null> {
  if (unit.authenticated?.user_id === user_id) return unit.authenticated.user_epoch;
  const record = await unit.remember<SessionRecord | undefined>(`session uid:${uid}`, async () => undefined);
  return record?.user_id === user_id ? record.user_epoch : null;
}

type SavedGrant = Omit<Insertable<Tables['grants']>, 'payload'> & { payload: string; user_epoch: number | null };

/**
 * Stores a grant, or widens it. It carries the epoch of its session's person, and that of its client as it is now: what a client was
 * allowed after its tokens were ended is new. One that was made before stays of its epoch.
 *
 * @throws LostRaceError: the client is disabled, whatever this node remembered
 */
async function saveGrant(
  trx: Trx,
  { id, user_id, client_id, payload, user_epoch, ...grant }: SavedGrant,
): Promise<void> {
  const { consent_id = null, session_uid = null, offline = false, created_at } = grant;
  // One that a first-party client had without a consent ends with the consent that widens it.
  const { rows } = await sql`
    insert into grants (id, user_id, client_id, consent_id, session_uid, offline, payload, created_at, user_epoch, client_epoch)
      select ${id}::uuid, ${user_id}::uuid, c.id, ${consent_id}::uuid, ${session_uid}::text, ${offline}::boolean, ${payload}::json,
        ${created_at}::timestamptz, ${user_epoch}::int, case when ${user_epoch}::int is not null then c.epoch end
      from clients c where c.id = ${client_id}::uuid and c.enabled
    on conflict (id) do update set payload = excluded.payload, consent_id = coalesce(excluded.consent_id, grants.consent_id)
    returning id`.execute(trx);
  if (rows.length === 0) throw new LostRaceError('the client was disabled');
}

/**
 * What a grant gives: all that the person consented to, and of what a first-party client has without being asked what it may have
 * now; undefined: nothing. It is judged whenever it is read: a client that is first-party no longer, or a scope that became
 * sensitive, ends what was given before, at authorization, redemption and refresh alike.
 */
async function standingPart(
  deps: StoreDeps & TrustDeps,
  { client_id, consent_id, payload }: GrantRecord,
): Promise<Record<string, unknown> | undefined> {
  const { openid, resources, consented, ...rest } = payload as GrantPayload;
  // Without that note all of it was consented to.
  if (consent_id !== null && !consented) return payload;
  const listed = Object.entries(resources ?? {}).map(([identifier, scope]) => [identifier, scopesIn(scope)]);
  const given: ConsentedScopes = { openid: scopesIn(openid?.scope ?? ''), resources: Object.fromEntries(listed) };
  const trusted = await trustedScopes(deps, await findClientRecord(deps, client_id), given);
  const kept = intersection(consented ? union(trusted, consented) : trusted, given);
  const keptAtApis = Object.entries(kept.resources).map(([identifier, scopes]) => [identifier, scopes.join(' ')]);
  if (kept.openid.length === 0 && keptAtApis.every(([, scope]) => scope === '')) return undefined;
  return { ...rest, openid: { ...openid, scope: kept.openid.join(' ') }, resources: Object.fromEntries(keptAtApis) };
}

type GrantPayload = {
  openid?: { scope?: string };
  resources?: Record<string, string>;
  consented?: ConsentedScopes;
  [member: string]: unknown;
};

/** Of taking a consent back and being let in under it the first to lock wins, and the other sees it. */
async function holdConsent(trx: Trx, id: string): Promise<void> {
  const query = trx.selectFrom('consents').select('id').where('id', '=', id).where('revoked_at', 'is', null);
  if (!(await query.forShare().executeTakeFirst())) throw new LostRaceError('the consent was revoked');
}
