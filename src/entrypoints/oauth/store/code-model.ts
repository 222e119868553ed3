import { type Insertable, sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import type { Database } from '../../../../db/schema.ts';
import { isCode } from '../../../domain/tokens/index.ts';
import { digest } from '../../../platform/crypto/index.ts';
import type { Trx } from '../../../platform/database/index.ts';
import { authorizationCode } from '../token-endpoint/grants/authorization-code.ts';
import { currentUnit, LostRaceError } from '../unit-of-work/index.ts';
import { idOfClient } from './client-model.ts';
import type { ModelStore, Payload } from './model-store.ts';
import { rememberJoined, type StoreDeps } from './models.ts';
import { type CodeRecord, readCode } from './reads.ts';
import { expiryFrom, seconds, withoutId } from './stored-payload.ts';

export function codeStore(deps: StoreDeps): ModelStore {
  return {
    find: async (value) => {
      const record = await findCode(deps, value);
      if (!record?.grant) return undefined;
      const unit = currentUnit();
      const { family_id, grant_id, user_id } = record;
      unit.source = { kind: authorizationCode.source, digest: digest(value), family_id, grant_id, user_id };
      return {
        ...record.payload,
        jti: value,
        iat: seconds(record.issued_at),
        exp: seconds(record.expires_at),
      } as Payload;
    },
    // The commit decides which of several redemptions wins; here only the intent of this request is recorded.
    consume: async () => undefined,
    upsert: async (value, payload) => insertCode(deps, value, payload as Payload),
  };
}

/** The code's record, consumed or not. Read once per request. */
async function findCode({ reader }: StoreDeps, value: string): Promise<CodeRecord | undefined> {
  if (!isCode(value)) return undefined;
  return currentUnit().remember(`code:${value}`, async () => {
    const record = await reader.find<CodeRecord>(readCode, digest(value));
    if (record) rememberJoined(record);
    return record;
  });
}

async function insertCode(deps: StoreDeps, value: string, payload: Payload): Promise<undefined> {
  const unit = currentUnit();
  const client_id = await idOfClient(deps, String(payload.clientId));
  const grant_id = String(payload.grantId);
  const isOffline = payload.expiresWithSession !== true;
  const issued_at = deps.now();
  const row = {
    digest: digest(value),
    family_id: uuidv7(),
    grant_id,
    client_id,
    user_id: String(payload.accountId),
    payload: JSON.stringify(withoutId(payload)),
    issued_at,
    expires_at: expiryFrom(issued_at, payload),
  };
  unit.operations.push(async (trx) => {
    if (isOffline) await markOffline(trx, grant_id);
    await insertCodeUnderGrant(trx, row);
  });
  unit.events.push({
    actor: { kind: 'user', id: row.user_id, permissions: [], origin: unit.origin },
    action: 'authorization_code.issued',
    target: { kind: 'client', id: String(payload.clientId) },
    details: { grant_id, scope: payload.scope, resource: payload.resource },
    occurred_at: row.issued_at,
  });
  return undefined;
}

/**
 * Inserts a code under its grant, which is locked: of a revocation and an authorization the first to lock wins.
 *
 * @throws LostRaceError: it was revoked
 */
async function insertCodeUnderGrant(trx: Trx, row: Insertable<Database['authorization_codes']>): Promise<void> {
  const { digest, family_id, grant_id, client_id, user_id, payload, expires_at } = row;
  const { rows } = await sql`
    with g as materialized (select id from grants where id = ${grant_id} and revoked_at is null for no key update)
    insert into authorization_codes (digest, family_id, grant_id, client_id, user_id, payload, issued_at, expires_at)
    select ${digest}::bytea, ${family_id}::uuid, id, ${client_id}::uuid, ${user_id}::uuid, ${payload}::json,
      latchkey_now(), ${expires_at}::timestamptz from g returning 1`.execute(trx);
  if (rows.length === 0) throw grantWasRevoked();
}

/**
 * Locks the grant under which a device code is about to be approved.
 *
 * @throws LostRaceError: it was revoked
 */
export async function holdGrant(trx: Trx, id: string, { offline }: { offline: boolean }): Promise<void> {
  const query = trx.selectFrom('grants').select('id').where('id', '=', id).where('revoked_at', 'is', null);
  if (!(await query.forNoKeyUpdate().executeTakeFirst())) throw grantWasRevoked();
  if (offline) await markOffline(trx, id);
}

async function markOffline(trx: Trx, id: string): Promise<void> {
  await trx.updateTable('grants').set({ offline: true }).where('id', '=', id).where('offline', '=', false).execute();
}

function grantWasRevoked(): LostRaceError {
  return new LostRaceError('the grant was revoked');
}
