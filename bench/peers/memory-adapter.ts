import type { Adapter, AdapterPayload } from 'oidc-provider';

const rows = new Map<string, AdapterPayload>();
const idsByUid = new Map<string, string>();
const keysByGrant = new Map<string, Set<string>>();

/** oidc-provider's own memory adapter with Maps in place of its cache of 1000 entries: nothing is evicted, nothing searched. */
export function memoryAdapter(model: string): Adapter {
  const keyOf = (id: string) => `${model}:${id}`;
  const find = async (id: string) => rows.get(keyOf(id));
  return {
    find,
    findByUid: async (uid) => find(idsByUid.get(uid) ?? ''),
    findByUserCode: async () => undefined,
    upsert: async (id, payload) => {
      rows.set(keyOf(id), payload);
      if (model === 'Session' && payload.uid) idsByUid.set(payload.uid, id);
      if (payload.grantId) remember(payload.grantId, keyOf(id));
    },
    consume: async (id) => {
      const row = rows.get(keyOf(id));
      if (row) row.consumed = Math.floor(Date.now() / 1000);
    },
    destroy: async (id) => {
      rows.delete(keyOf(id));
    },
    revokeByGrantId: async (grantId) => {
      for (const key of keysByGrant.get(grantId) ?? []) rows.delete(key);
      keysByGrant.delete(grantId);
    },
  };
}

function remember(grantId: string, key: string): void {
  const keys = keysByGrant.get(grantId) ?? new Set();
  keysByGrant.set(grantId, keys.add(key));
}
