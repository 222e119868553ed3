import { type CredentialKind, inventoryOf, textKey } from '../credentials/index.ts';
import { findSecretIdByValue, looksLikeSecretId, revokeSecretIdByAccessor } from './secret-ids.ts';

/** Secret ids of AppRole, by their accessors. A revoked one is deleted. */
export const secretIdKind: CredentialKind = {
  kind: 'secret_id',
  label: 'Secret id',
  permission: 'latchkey:client:read',
  isNumerous: true,
  orders: ['created_at'],
  inventory: inventoryOf(
    'secret_id',
    {
      id: 's.accessor',
      name: `'Secret id of ' || c.client_id`,
      owner_id: 's.client_id',
      risk: 'c.risk',
      created_at: 's.created_at',
      last_used_at: 's.last_used_at',
      expires_at: 's.expires_at',
      stands_until: `case when c.enabled and r.deleted_at is null and coalesce(s.uses_left, 1) > 0
        then coalesce(s.expires_at, 'infinity') else '-infinity' end`,
    },
    {
      from: 'vault_secret_ids s join clients c on c.id = s.client_id join vault_roles r on r.client_id = s.client_id',
      counted: 'vault_secret_ids s',
      key: textKey('s.accessor'),
    },
  ),
  leak: {
    find: async (deps, value) => {
      const found = looksLikeSecretId(value) ? await findSecretIdByValue(deps, value) : undefined;
      return found && { id: found.accessor };
    },
    nameOf: async (_, { owner }) => ({
      en: `secret id of "${owner?.name}"`,
      de: `Secret-ID von „${owner?.name}“`,
    }),
  },
  revoke: { permission: 'latchkey:client_secret:revoke', one: revokeSecretIdByAccessor },
};
