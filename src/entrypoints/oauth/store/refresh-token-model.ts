import Provider from 'oidc-provider';
import { deriveSuccessor, familyHandle } from '../../../domain/tokens/index.ts';
import { digest, sameDigest } from '../../../platform/crypto/index.ts';
import { absoluteRefreshSeconds, type DefaultLifetimes } from '../provider/lifetimes.ts';
import { refreshToken } from '../token-endpoint/grants/refresh-token.ts';
import { currentUnit } from '../unit-of-work/index.ts';
import { findClientRecord } from './client-model.ts';
import type { ModelStore, Payload } from './model-store.ts';
import { rememberJoined, type StoreDeps } from './models.ts';
import { type FamilyRecord, readFamily } from './reads.ts';
import { expiryFrom, seconds, withoutId } from './stored-payload.ts';
import { revokePresented } from './token-revocation.ts';

export type RefreshTokenDeps = StoreDeps & { lifetimes: DefaultLifetimes };

export function refreshTokenStore(deps: RefreshTokenDeps): ModelStore {
  return {
    find: async (value) => {
      const record = await findFamily(deps, value);
      if (!record?.grant) return undefined;
      await noteSource(deps, value, record);
      if (Provider.ctx?.oidc.route === 'introspection' && !sameDigest(record.digest, digest(value))) return undefined;
      const exp = Math.min(seconds(record.expires_at), seconds(record.absolute_expires_at));
      return { ...record.payload, jti: value, iat: seconds(record.issued_at), exp } as Payload;
    },
    consume: async () => undefined,
    upsert: async (value, payload) => {
      const { source, writes } = currentUnit();
      const expires_at = expiryFrom(deps.now(), payload as Payload);
      if (source?.kind === refreshToken.source) {
        writes.successor = { digest: digest(value), expires_at };
        return undefined;
      }
      const handle_digest = familyHandle(value);
      if (!handle_digest) throw new Error('malformed refresh token');
      const client = await findClientRecord(deps, String(payload.clientId));
      const absoluteSeconds = absoluteRefreshSeconds(deps.lifetimes, client?.lifetimes ?? {});
      const absolute_expires_at = new Date(deps.now().getTime() + absoluteSeconds * 1000);
      writes.refresh_token = {
        handle_digest,
        digest: digest(value),
        payload: withoutId(payload as Payload),
        expires_at,
        absolute_expires_at,
      };
      return undefined;
    },
    destroy: async (value) => {
      const family = familyHandle(value);
      if (family) revokePresented(deps, { family });
      return undefined;
    },
  };
}

/** The family of a refresh token of any generation. Read once per request. */
async function findFamily({ reader }: StoreDeps, value: string): Promise<FamilyRecord | undefined> {
  const handle = familyHandle(value);
  if (!handle) return undefined;
  return currentUnit().remember(`family:${handle.toString('hex')}`, async () => {
    const record = await reader.find<FamilyRecord>(readFamily, handle);
    if (record) rememberJoined(record);
    return record;
  });
}

async function noteSource(deps: StoreDeps, value: string, record: FamilyRecord): Promise<void> {
  const unit = currentUnit();
  const presented = digest(value);
  const isPrevious = record.previous_digest !== null && sameDigest(record.previous_digest, presented);
  // One older than the previous derives nothing: the commit treats it as reuse.
  const keyId = (isPrevious ? record.previous_key_id : record.key_id) ?? record.key_id;
  await deps.keys.ensure([keyId]);
  const key = deps.keys.find(keyId)?.key;
  unit.deriveSuccessor = key && (() => deriveSuccessor(value, key));
  const client = await findClientRecord(deps, record.client.client_id);
  const graceSeconds = client?.lifetimes.refresh_grace ?? unit.defaultGraceSeconds;
  const { id: family_id, grant_id, user_id } = record;
  unit.source = { kind: refreshToken.source, digest: presented, family_id, grant_id, user_id, graceSeconds };
}
