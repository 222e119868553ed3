import { isDeepStrictEqual } from 'node:util';
import { type Insertable, type RawBuilder, sql } from 'kysely';
import type { Database } from '../../../../db/schema.ts';
import type { ProviderSession } from '../../../domain/identity-providers/index.ts';
import { retireIds, revokeOwnSession } from '../../../domain/sessions/index.ts';
import { digest } from '../../../platform/crypto/index.ts';
import type { Trx } from '../../../platform/database/index.ts';
import { anonymous, person } from '../../../platform/http/index.ts';
import type { ServerKeys } from '../../../platform/keys/index.ts';
import { currentUnit, LostRaceError, type Unit } from '../unit-of-work/index.ts';
import type { ModelStore, Payload } from './model-store.ts';
import { openPayload, type StoreDeps, sealPayload } from './models.ts';
import { readSession, readSessionByUid, type SessionRecord } from './reads.ts';
import { type Authorization, changedClients, saveSessionClients } from './session-clients.ts';

// A tab that read the session before another rotated its id may still send the old one.
const rotatedIdSeconds = 30;

// The time of last use is stored to the minute: a write for each request would cost as much as the request.
const seenEverySeconds = 60;

const keyOf = (key: Buffer) => `session:${key.toString('hex')}`;

export function sessionStore(deps: StoreDeps): ModelStore {
  return {
    find: async (id) => {
      const record = await findSession(deps, id);
      return record && sessionPayload(deps.keys, id, record);
    },
    // For comparing who is signed in; the id itself is not stored, so the session that this finds is never saved.
    findByUid: async (uid) => {
      const record = await deps.reader.find<SessionRecord>(readSessionByUid, uid);
      return record && sessionPayload(deps.keys, undefined, record);
    },
    upsert: async (id, payload) => saveSession(deps, id, payload as Payload),
    destroy: async (id) => {
      const unit = currentUnit();
      const record = await findSession(deps, id);
      if (!record) return undefined;
      // The library destroys the old id before it saves under a new one; only without that save it is a sign-out.
      unit.operations.push((trx) =>
        unit.savedSession?.uid === record.uid
          ? retireId(deps, trx, id, record, unit)
          : revokeSession(deps, trx, record, unit),
      );
      return undefined;
    },
  };
}

async function findSession({ reader }: StoreDeps, id: string): Promise<SessionRecord | undefined> {
  const key = digest(id);
  const unit = currentUnit();
  return unit.remember(keyOf(key), async () => {
    const record = await reader.find<SessionRecord>(readSession, key);
    if (!record) return undefined;
    unit.fill(`session uid:${record.uid}`, record);
    if (record.person) unit.fill(`user:${record.person.id}`, record.person);
    return record;
  });
}

function sessionPayload(keys: ServerKeys, id: string | undefined, record: SessionRecord): Payload {
  const authorizations = Object.fromEntries(
    record.clients.map(({ client_id, sid, grant_id, persists_logout }) => [
      client_id,
      { ...(sid && { sid }), ...(grant_id && { grantId: grant_id }), ...(persists_logout && { persistsLogout: true }) },
    ]),
  );
  const state = record.sealed_state && openPayload(keys, ['sessions', 'sealed_state', record.uid], record.sealed_state);
  return {
    kind: 'Session',
    ...(id && { jti: id }),
    uid: record.uid,
    iat: Math.floor(record.created_at.getTime() / 1000),
    exp: Math.floor(record.expires_at.getTime() / 1000),
    ...(record.user_id && { accountId: record.user_id }),
    ...(record.login_at && { loginTs: Math.floor(record.login_at.getTime() / 1000) }),
    ...(record.acr && { acr: record.acr }),
    ...(record.amr && { amr: record.amr }),
    ...(record.transient && { transient: true }),
    ...(state && { state }),
    ...(record.clients.length > 0 && { authorizations }),
  } as Payload;
}

async function saveSession(deps: StoreDeps, id: string, payload: Payload): Promise<undefined> {
  const unit = currentUnit();
  const uid = String(payload.uid);
  const previous = await unit.remember<SessionRecord | undefined>(`session uid:${uid}`, async () => undefined);
  // An error page makes the library save it once more: a session that got its id in this request keeps it.
  const isSavedAgain = unit.savedSession?.id === id;
  unit.savedSession = { uid, id };
  const now = deps.now();
  const user_id = payload.accountId ?? null;
  const seen = {
    address: unit.origin.address ?? null,
    user_agent: unit.origin.user_agent ?? null,
    last_seen_at: now,
    expires_at: new Date(Number(payload.exp) * 1000),
  };
  // If another user is still signed in, the library ends that session first.
  const authenticated = unit.authenticated?.user_id === user_id ? unit.authenticated : undefined;
  const changed = changedBy(deps, payload, previous, authenticated?.at);
  const clients = changedClients((payload.authorizations ?? {}) as Record<string, Authorization>, previous);
  const isNothingNew = Object.keys(changed).length + clients.kept.length + clients.removed.length === 0;
  if (isNothingNew && previous?.user_id === user_id && (await wasJustSeen(unit, id, now))) return undefined;
  if (!previous && !user_id) unit.openRows.push('session');
  unit.operations.push(async (trx) => {
    const signedIn = authenticated && {
      user_epoch: authenticated.user_epoch,
      signed_in_at: sql<Date>`(select latchkey_now())`,
      ...providerColumns(authenticated.by),
    };
    await upsertSession(trx, { uid, user_id, created_at: now, ...changed, ...signedIn, ...seen });
    // A sign-in and a new proof invalidate every copy of the cookie (CWE-384), also in other tabs.
    if (authenticated && !isSavedAgain) await retireIds(trx, uid, now);
    await saveId(trx, { digest: digest(id), session_uid: uid, expires_at: seen.expires_at });
    await saveSessionClients(trx, uid, clients);
  });
  if (user_id && previous?.user_id !== user_id) recordSignIn(unit, uid, { user_id, by: authenticated?.by }, now);
  return undefined;
}

/** For a session whose user signed in with an identity provider; only a time that the provider states counts as a proof. */
function providerColumns(by: ProviderSession | undefined) {
  const { trust_id = null, trust_epoch = null, identity_id = null, upstream_sid = null, proven_at = null } = by ?? {};
  return { trust_id, trust_epoch, identity_id, upstream_sid, confirmed_at: proven_at };
}

/** A request with an id that was retired meanwhile must neither reactivate it nor continue with it. */
async function saveId(
  trx: Trx,
  row: Pick<Insertable<Database['session_ids']>, 'digest' | 'session_uid' | 'expires_at'>,
) {
  const { numInsertedOrUpdatedRows } = await trx
    .insertInto('session_ids')
    .values(row)
    .onConflict((conflict) =>
      conflict.column('digest').doUpdateSet({ expires_at: row.expires_at }).where('session_ids.retired_at', 'is', null),
    )
    .executeTakeFirst();
  if (!numInsertedOrUpdatedRows) throw anotherId();
}

/** Whether the session was found by this exact id, and used a moment ago: then nothing is recorded. */
async function wasJustSeen(unit: Unit, id: string, now: Date): Promise<boolean> {
  const found = await unit.remember<SessionRecord | undefined>(keyOf(digest(id)), async () => undefined);
  return found !== undefined && now.getTime() - found.last_seen_at.getTime() < seenEverySeconds * 1000;
}

type Own = Pick<Insertable<Database['sessions']>, 'login_at' | 'acr' | 'amr' | 'transient' | 'sealed_state'>;

/**
 * The changes of this request. oidc-provider saves a whole session with every request; writing back what another tab changed meanwhile
 * would remove the form of its sign-out, or a newer sign-in.
 */
function changedBy(
  deps: StoreDeps,
  payload: Payload,
  previous: SessionRecord | undefined,
  authenticatedAt: Date | undefined,
): Partial<Own> {
  const before = previous && sessionPayload(deps.keys, undefined, previous);
  const isChanged = (name: string) => !isDeepStrictEqual(payload[name], before?.[name]);
  const state = payload.state as Payload | undefined;
  return {
    ...((authenticatedAt || isChanged('loginTs')) && { login_at: signInTime(payload, authenticatedAt) }),
    ...(isChanged('acr') && { acr: payload.acr ?? null }),
    ...(isChanged('amr') && { amr: payload.amr ? JSON.stringify(payload.amr) : null }),
    ...(isChanged('transient') && { transient: payload.transient === true }),
    ...(isChanged('state') && {
      sealed_state: state ? sealPayload(deps.keys, ['sessions', 'sealed_state', String(payload.uid)], state) : null,
    }),
  };
}

/** oidc-provider counts in whole seconds; the exact time is kept. */
function signInTime({ loginTs }: Payload, authenticatedAt: Date | undefined): Date | null {
  return authenticatedAt ?? (loginTs ? new Date(Number(loginTs) * 1000) : null);
}

type WhoSignedIn = { user_id: string; by: ProviderSession | undefined };

function recordSignIn(unit: Unit, uid: string, { user_id, by }: WhoSignedIn, occurred_at: Date): void {
  if (unit.events.some(({ action }) => action === 'session.started')) return;
  const actor = person(user_id, unit.origin);
  const details = by && { details: { trust_id: by.trust_id, identity_id: by.identity_id } };
  unit.events.push({ actor, action: 'session.started', target: { kind: 'session', id: uid }, ...details, occurred_at });
}

type NewSession = Omit<Insertable<Database['sessions']>, 'signed_in_at'> & { signed_in_at?: RawBuilder<Date> };

async function upsertSession(trx: Trx, session: NewSession): Promise<void> {
  const { uid: _, created_at: __, ...changing } = session;
  const { numInsertedOrUpdatedRows } = await trx
    .insertInto('sessions')
    .values(session)
    .onConflict((conflict) =>
      conflict
        .column('uid')
        .doUpdateSet(changing)
        // Two tabs of one browser: neither may return the other's user, nor reactivate a session that was ended.
        .where('sessions.revoked_at', 'is', null)
        .where((eb) =>
          eb.or([eb('sessions.user_id', 'is', null), eb('sessions.user_id', '=', eb.ref('excluded.user_id'))]),
        ),
    )
    .executeTakeFirst();
  if (!numInsertedOrUpdatedRows) throw new LostRaceError('the session was revoked, or belongs to another user now');
}

/**
 * After a rotation without a new proof the previous id works for another moment: other tabs still send it. One that was retired meanwhile
 * leads to no other id either. The session is locked first, as everywhere its ids are changed.
 */
async function retireId({ now }: StoreDeps, trx: Trx, id: string, record: SessionRecord, unit: Unit): Promise<void> {
  const { authenticated } = unit;
  if (authenticated && (!record.user_id || record.user_id === authenticated.user_id)) return;
  await trx.selectFrom('sessions').select('uid').where('uid', '=', record.uid).forNoKeyUpdate().execute();
  const seconds = record.user_id ? rotatedIdSeconds : 0;
  const { numUpdatedRows } = await trx
    .updateTable('session_ids')
    .set({ expires_at: new Date(now().getTime() + seconds * 1000) })
    .where('digest', '=', digest(id))
    .where('retired_at', 'is', null)
    .executeTakeFirst();
  if (!numUpdatedRows) throw anotherId();
}

const anotherId = () => new LostRaceError('the session has another id now');

async function revokeSession({ now }: StoreDeps, trx: Trx, { uid, user_id }: SessionRecord, unit: Unit): Promise<void> {
  const actor = user_id ? person(user_id, unit.origin) : anonymous(unit.origin);
  await revokeOwnSession(trx, actor, { uid, revoked_at: now() });
}
