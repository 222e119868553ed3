import { type CredentialKind, inventoryOf, textKey } from '../credentials/index.ts';

/** Keys that sign tokens. A leaked key is replaced by a rotation. */
export const signingKeyKind: CredentialKind = {
  kind: 'signing_key',
  label: 'Signing key',
  permission: 'latchkey:signing_key:read',
  isNumerous: false,
  inventory: inventoryOf(
    'signing_key',
    {
      id: 'k.kid',
      name: 'k.alg',
      created_at: 'k.created_at',
      expires_at: 'k.retires_at',
      stands_until: `coalesce(k.retires_at, 'infinity')`,
    },
    { from: 'signing_keys k', key: textKey('k.kid') },
  ),
};
