import { type CredentialKind, inventoryOf, uuidKey } from '../credentials/index.ts';

/** Secrets that sign webhook messages. */
export const webhookSecretKind: CredentialKind = {
  kind: 'webhook_secret',
  label: 'Webhook secret',
  permission: 'latchkey:webhook:read',
  isNumerous: false,
  inventory: inventoryOf(
    'webhook_secret',
    {
      id: 's.id',
      name: `coalesce(w.description, 'Webhook')`,
      created_at: 's.created_at',
      expires_at: 's.expires_at',
      location: 'w.url',
      stands_until: `case when w.enabled then coalesce(s.expires_at, 'infinity') else '-infinity' end`,
    },
    { from: 'webhook_secrets s join webhooks w on w.id = s.webhook_id', key: uuidKey('s.id') },
  ),
};
