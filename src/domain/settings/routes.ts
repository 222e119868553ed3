import { z } from 'zod';
import { routesWith } from '../../platform/http/index.ts';
import { SettingView } from './schemas.ts';

const route = routesWith<{ settings: readonly SettingView[] }>();

/** What this process was configured with. */
export const settingRoutes = [
  route({
    method: 'GET',
    path: '/settings',
    summary: 'List the settings of the server that answers, without the values of secrets',
    permission: 'latchkey:settings:read',
    response: z.object({ items: z.array(SettingView) }),
    handle: async (_, { settings }) => ({ items: [...settings] }),
  }),
];
