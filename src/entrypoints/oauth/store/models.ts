import { type Insertable, sql } from 'kysely';
import type { ConsentedScopes, Database as Tables } from '../../../../db/schema.ts';
import { type Sealed, type SealedPlace, seal, unseal } from '../../../platform/crypto/index.ts';
import type { Database, Db, Trx } from '../../../platform/database/index.ts';
import type { ServerKeys } from '../../../platform/keys/index.ts';
import { intersection, union } from '../scopes/consented-scopes.ts';
import { scopesIn } from '../scopes/request-bounds.ts';
import { currentUnit, LostRaceError, type Unit } from '../unit-of-work/index.ts';
import { type ClientDeps, findClientRecord, idOfClient } from './client-model.ts';
import type { ModelStore, Payload } from './model-store.ts';
import type { Reader } from './reader.ts';
import { type GrantRecord, readGrant, type SessionRecord, type UnderGrant } from './reads.ts';
import { type TrustDeps, trustedScopes } from './trusted-scopes.ts';

export type StoreDeps = ClientDeps & {
  db: Db;
  database: Database;
  reader: Reader;
  keys: ServerKeys;
  now: () => Date;
};

/** Encrypts a payload with secrets or request parameters; its own id is not part of it unless it was added. */
export function sealPayload(keys: ServerKeys, place: SealedPlace, payload: Payload): Sealed {
  return seal(keys.current('interaction').key, place, JSON.stringify(payload));
}

export function openPayload(keys: ServerKeys, place: SealedPlace, sealed: Sealed): Payload {
  return JSON.parse(unseal(keys.current('interaction').key, place, sealed).toString());
}

/** Records that were joined with a credential are not read again. */
export function rememberJoined({ grant, person }: UnderGrant): void {
  const unit = currentUnit();
  if (grant) unit.fill(`grant:${grant.id}`, grant);
  if (person) unit.fill(`user:${person.id}`, person);
}

/** The grant of this id, while it is active. Read once per request. */
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
        signedIn: unit.authenticated?.user_id === user_id ? unit.authenticated : undefined,
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
 * The user's epoch for a grant that is created in this session: the session's, which is not read again. Null: an older version signed the
 * user in.
 */
async function epochOfSession(unit: Unit, uid: string, user_id: string): Promise<number | null> {
  if (unit.authenticated?.user_id === user_id) return unit.authenticated.user_epoch;
  const record = await unit.remember<SessionRecord | undefined>(`session uid:${uid}`, async () => undefined);
  return record?.user_id === user_id ? record.user_epoch : null;
}

type SavedGrant = Omit<Insertable<Tables['grants']>, 'payload'> & {
  payload: string;
  user_epoch: number | null;
  signedIn: Unit['authenticated'];
};

/**
 * Stores a grant, or extends it. It contains the epoch of its session's user and of the sign-in, and the current epoch of its client: what
 * a client was allowed after its tokens were revoked is new. A grant from before keeps its epoch.
 *
 * @throws LostRaceError: the client is disabled, whatever this node has cached
 */
async function saveGrant(
  trx: Trx,
  { id, user_id, client_id, payload, user_epoch, signedIn, ...grant }: SavedGrant,
): Promise<void> {
  const { consent_id = null, session_uid = null, offline = false, created_at } = grant;
  // The session of a sign-in in this same request is written after the grant.
  const [isNew, by] = [signedIn !== undefined, signedIn?.by];
  // A grant that a first-party client had without a consent is revoked with the consent that extends it.
  const { rows } = await sql`
    insert into grants (id, user_id, client_id, consent_id, session_uid, offline, payload, created_at, user_epoch, client_epoch,
        trust_id, trust_epoch, identity_id)
      select ${id}::uuid, ${user_id}::uuid, c.id, ${consent_id}::uuid, ${session_uid}::text, ${offline}::boolean, ${payload}::json,
        ${created_at}::timestamptz, ${user_epoch}::int, case when ${user_epoch}::int is not null then c.epoch end,
        case when ${isNew} then ${by?.trust_id ?? null}::uuid else s.trust_id end,
        case when ${isNew} then ${by?.trust_epoch ?? null}::int else s.trust_epoch end,
        case when ${isNew} then ${by?.identity_id ?? null}::uuid else s.identity_id end
      from clients c left join sessions s on s.uid = ${session_uid}::text where c.id = ${client_id}::uuid and c.enabled
    on conflict (id) do update set payload = excluded.payload, consent_id = coalesce(excluded.consent_id, grants.consent_id)
    returning id`.execute(trx);
  if (rows.length === 0) throw new LostRaceError('the client was disabled');
}

/**
 * The scopes of a grant: all that the user consented to, and of those that a first-party client has without consent the ones it may have
 * now; undefined: none. It is evaluated at every read: if a client is first-party no longer, or a scope became sensitive, the scopes end at
 * authorization, redemption and refresh alike.
 */
async function standingPart(
  deps: StoreDeps & TrustDeps,
  { client_id, consent_id, payload }: GrantRecord,
): Promise<Record<string, unknown> | undefined> {
  const { openid, resources, consented, ...rest } = payload as GrantPayload;
  // Without that note everything was consented to.
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

/** Of revoking a consent and adding a grant under it the first to lock wins, and the other sees it. */
async function holdConsent(trx: Trx, id: string): Promise<void> {
  const query = trx.selectFrom('consents').select('id').where('id', '=', id).where('revoked_at', 'is', null);
  if (!(await query.forShare().executeTakeFirst())) throw new LostRaceError('the consent was revoked');
}
