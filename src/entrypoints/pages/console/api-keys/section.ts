import type { ConsoleSection } from '../section.ts';
import { apiKeyActions } from './actions.ts';
import { showKey } from './detail.ts';
import { apiKeyList } from './list.ts';

export const apiKeys: ConsoleSection = {
  section: 'api-keys',
  label: 'API keys',
  words: 'With which services and people call APIs',
  permission: 'latchkey:api_key:read',
  list: ({ config }) => apiKeyList(config.apiKeyEnvironments),
  details: {
    '/api-keys/:key_id': showKey,
  },
  actions: apiKeyActions,
};
