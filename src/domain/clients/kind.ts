import { type CredentialKind, inventoryOf, uuidKey } from '../credentials/index.ts';
import { findLiveSecret, isGenerated, revokeSecretById } from './secrets.ts';

/** Secrets of clients. */
export const clientSecretKind: CredentialKind = {
  kind: 'client_secret',
  label: 'Client secret',
  permission: 'latchkey:client:read',
  isNumerous: false,
  inventory: inventoryOf(
    'client_secret',
    {
      id: 's.id',
      name: `coalesce(s.label, 'Secret ' || s.number::text)`,
      owner_id: 's.client_id',
      risk: 'c.risk',
      version: 's.number',
      created_at: 's.created_at',
      last_used_at: 's.last_used_at',
      expires_at: 's.expires_at',
      due_at: 's.due_at',
      revoked_at: 's.revoked_at',
      stands_until: `coalesce((select st.ends_at from standing_client_secrets st where st.id = s.id and c.enabled), '-infinity')`,
    },
    {
      from: 'client_secrets s join clients c on c.id = s.client_id',
      counted: 'client_secrets s',
      key: uuidKey('s.id'),
    },
  ),
  leak: {
    find: async (deps, value) => {
      const id = isGenerated(value) ? await findLiveSecret(deps, value) : undefined;
      return id === undefined ? undefined : { id };
    },
    nameOf: async (_, { owner }) => ({
      en: `client secret of "${owner?.name}"`,
      de: `Client-Secret von „${owner?.name}“`,
    }),
  },
  revoke: { permission: 'latchkey:client_secret:revoke', one: revokeSecretById },
};
