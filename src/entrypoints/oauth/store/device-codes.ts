import { sql } from 'kysely';
import Provider, { errors } from 'oidc-provider';
import { v7 as uuidv7 } from 'uuid';
import { type Digest, digest, keyedDigest, type SealedPlace } from '../../../platform/crypto/index.ts';
import type { Trx } from '../../../platform/database/index.ts';
import { deviceCode as grantType } from '../token-endpoint/grants/device-code.ts';
import { currentUnit, LostRaceError } from '../unit-of-work/index.ts';
import { isAnonymousClient } from './anonymous-client.ts';
import { idOfClient } from './client-model.ts';
import { holdGrant } from './code-model.ts';
import type { ModelStore, Payload } from './model-store.ts';
import { openPayload, rememberJoined, type StoreDeps, sealPayload } from './models.ts';
import { type DeviceCodeRecord, readDeviceCode, readDeviceCodeByUserCode } from './reads.ts';

/** The default seconds between two polls (RFC 8628 §3.2), and how much each early one adds (§3.5). */
const intervalSeconds = 5;
// The network may bring two polls closer together than the client sent them.
const toleratedSeconds = 1;

const placeOf = (key: Buffer): SealedPlace => ['device_codes', 'sealed', key.toString('hex')];

/** Device codes (RFC 8628): found by the device with the code itself, and by the page with the short user code. */
export function deviceCodeStore(deps: StoreDeps): ModelStore {
  return {
    find: async (value) => {
      const key = digest(value);
      const record = await currentUnit().remember(`device code:${key.toString('hex')}`, async () => {
        const found = await deps.reader.find<DeviceCodeRecord>(readDeviceCode, key);
        if (found) rememberJoined(found);
        return found;
      });
      if (!record) return undefined;
      await noteUse(deps, record);
      return payloadOf(deps, record);
    },
    findByUserCode: async (userCode) => {
      const record = await deps.reader.find<DeviceCodeRecord>(readDeviceCodeByUserCode, userCodeDigest(deps, userCode));
      return record && payloadOf(deps, record);
    },
    // The commit decides which of several redemptions wins.
    consume: async () => undefined,
    upsert: async (value, payload) => saveDeviceCode(deps, value, payload as Payload),
  };
}

function payloadOf(deps: StoreDeps, { digest: key, sealed }: DeviceCodeRecord): Payload {
  return openPayload(deps.keys, placeOf(key), sealed);
}

function userCodeDigest({ keys }: StoreDeps, userCode: string): Digest {
  return keyedDigest(keys.current('user-code').key, userCode);
}

/** At the token endpoint: the values that the commit checks, or, while the user has not answered, the polling rate. */
async function noteUse(deps: StoreDeps, record: DeviceCodeRecord): Promise<void> {
  const { client, digest: key, family_id, grant_id, user_id } = record;
  if (grant_id && user_id) {
    currentUnit().source = { kind: grantType.source, digest: key, family_id, grant_id, user_id };
    return;
  }
  // A different client with this code is refused and does not affect the polling interval.
  const isOwn = Provider.ctx?.oidc.client?.clientId === client.client_id;
  if (currentUnit().isTokenRequest && isOwn) await pace(deps, key);
}

/** @throws SlowDown when the device polls too soon (RFC 8628 §3.5) */
async function pace({ db, now }: StoreDeps, key: Digest): Promise<void> {
  const polled_at = now();
  const { rows } = await sql<{ hasty: boolean }>`
    with before as (
      select digest, coalesce(polled_at + (interval_seconds - ${toleratedSeconds}::int) * interval '1 second' > ${polled_at}, false) as hasty
      from device_codes where digest = ${key} for update)
    update device_codes d set polled_at = ${polled_at}, interval_seconds = interval_seconds + case when hasty then ${intervalSeconds}::int else 0 end
    from before where d.digest = before.digest returning hasty`.execute(db);
  if (rows[0]?.hasty) throw new errors.SlowDown();
}

async function saveDeviceCode(deps: StoreDeps, value: string, payload: Payload): Promise<undefined> {
  const unit = currentUnit();
  const key = digest(value);
  const sealed = sealPayload(deps.keys, placeOf(key), { ...payload, jti: value });
  const answer = {
    sealed,
    user_id: payload.accountId ?? null,
    grant_id: typeof payload.grantId === 'string' ? payload.grantId : null,
  };
  const issued = {
    digest: key,
    user_code_digest: userCodeDigest(deps, String(payload.userCode)),
    family_id: uuidv7(),
    client_id: await idOfClient(deps, String(payload.clientId)),
    issued_at: deps.now(),
    expires_at: new Date(Number(payload.exp) * 1000),
    interval_seconds: intervalSeconds,
  };
  if (!answer.user_id && isAnonymousClient()) unit.openRows.push('device_code');
  unit.operations.push(async (trx) => {
    if (answer.grant_id) await holdGrant(trx, answer.grant_id, { offline: payload.expiresWithSession !== true });
    await store(trx, { ...issued, ...answer });
  });
  return undefined;
}

type Stored = {
  digest: Digest;
  user_code_digest: Digest;
  family_id: string;
  client_id: string;
  user_id: string | null;
  grant_id: string | null;
  sealed: DeviceCodeRecord['sealed'];
  issued_at: Date;
  expires_at: Date;
  interval_seconds: number;
};

/** Two users with one user code: only the first answer counts. */
async function store(trx: Trx, row: Stored): Promise<void> {
  const { sealed, user_id, grant_id } = row;
  const { numInsertedOrUpdatedRows } = await trx
    .insertInto('device_codes')
    .values({ ...row, polled_at: null, consumed_at: null })
    .onConflict((conflict) =>
      conflict.column('digest').doUpdateSet({ sealed, user_id, grant_id }).where('device_codes.user_id', 'is', null),
    )
    .executeTakeFirst();
  if (!numInsertedOrUpdatedRows) throw new LostRaceError('the device code was answered already');
}
