import { type CredentialKind, inventoryOf, uuidKey } from '../credentials/index.ts';
import { findBrowserBySecret, forgetBrowserOfUser } from './browsers.ts';

/** Browsers in which users skip the second factor, by the secret in their cookie. A forgotten one is deleted. */
export const rememberedBrowserKind: CredentialKind = {
  kind: 'remembered_browser',
  label: 'Remembered browser',
  permission: 'latchkey:session:read',
  isNumerous: true,
  orders: ['expires_at'],
  inventory: inventoryOf(
    'remembered_browser',
    {
      id: 'b.id',
      name: `coalesce(b.user_agent, 'Unknown browser')`,
      owner_id: 'b.user_id',
      created_at: 'b.created_at',
      last_used_at: 'b.last_used_at',
      expires_at: 'b.expires_at',
      stands_until: `coalesce((select st.expires_at from standing_remembered_browsers st where st.id = b.id), '-infinity')`,
    },
    { from: 'remembered_browsers b', key: uuidKey('b.id'), allExpire: true },
  ),
  leak: {
    find: async (deps, value) => {
      const id = await findBrowserBySecret(deps, value);
      return id === undefined ? undefined : { id };
    },
    nameOf: async (_, { name }) => ({
      en: `secret of the remembered browser "${name}"`,
      de: `Geheimnis des gemerkten Browsers „${name}“`,
    }),
  },
  revoke: { permission: 'latchkey:session:revoke', one: forgetBrowserOfUser },
};
