import type { ConsoleSection } from '../section.ts';
import { apiKeyActions } from './actions.ts';
import { showKey } from './detail.ts';
import { apiKeyList } from './list.ts';

export const apiKeys: ConsoleSection = {
  section: 'api-keys',
  label: 'API keys',
  group: 'Credentials',
  icon: 'key',
  permission: 'latchkey:api_key:read',
  main: { list: ({ config }) => apiKeyList(config.apiKeyEnvironments) },
  details: {
    '/api-keys/:key_id': showKey,
  },
  actions: apiKeyActions,
};
