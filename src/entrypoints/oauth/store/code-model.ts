import { v7 as uuidv7 } from 'uuid';
import { eventMembers } from '../../../domain/audit/index.ts';
import { isCode } from '../../../domain/tokens/index.ts';
import { digest } from '../../../platform/crypto/index.ts';
import { binaryText, type Trx } from '../../../platform/database/index.ts';
import { authorizationCode } from '../token-endpoint/grants/authorization-code.ts';
import { currentUnit } from '../unit-of-work/index.ts';
import { idOfClient } from './client-model.ts';
import { type CodeRow, grantWasRevoked, type IssuedCodes } from './issued-codes.ts';
import type { ModelStore, Payload } from './model-store.ts';
import { rememberJoined, type StoreDeps } from './models.ts';
import { type CodeRecord, readCode } from './reads.ts';
import { expiryFrom, seconds, withoutId } from './stored-payload.ts';

export type CodeDeps = StoreDeps & { codes: IssuedCodes };

export function codeStore(deps: CodeDeps): ModelStore {
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

async function insertCode(deps: CodeDeps, value: string, payload: Payload): Promise<undefined> {
  const unit = currentUnit();
  const client_id = await idOfClient(deps, String(payload.clientId));
  const grant_id = String(payload.grantId);
  const issued_at = deps.now();
  const user_id = String(payload.accountId);
  const row: CodeRow = {
    digest: binaryText(digest(value)),
    family_id: uuidv7(),
    grant_id,
    client_id,
    user_id,
    payload: withoutId(payload),
    expires_at: expiryFrom(issued_at, payload),
    offline: payload.expiresWithSession !== true,
    ...eventMembers({
      actor: { kind: 'user', id: user_id, permissions: [], origin: unit.origin },
      action: 'authorization_code.issued',
      target: { kind: 'client', id: String(payload.clientId) },
      details: { grant_id, scope: payload.scope, resource: payload.resource },
      occurred_at: issued_at,
    }),
  };
  const { codes } = deps;
  unit.operations.push(Object.assign((trx: Trx) => codes.issueIn(trx, row), { alone: () => codes.issue(row) }));
  return undefined;
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
