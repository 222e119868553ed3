import type { ConsoleSection } from '../section.ts';
import { webhookActions } from './actions.ts';
import { showWebhook } from './detail.ts';
import { webhookList } from './list.ts';

export const webhooks: ConsoleSection = {
  section: 'webhooks',
  label: 'Webhooks',
  group: 'Activity',
  icon: 'hook',
  permission: 'latchkey:webhook:read',
  main: { list: () => webhookList },
  details: { '/webhooks/:webhook_id': showWebhook },
  actions: webhookActions,
};
