import { z } from 'zod';
import { routesWith } from '../../platform/http/index.ts';
import { SettingView, TestMailView } from './schemas.ts';
import { sendTestMail, type TestMailDeps } from './test-mail.ts';

const route = routesWith<{ settings: readonly SettingView[] } & TestMailDeps>();

/** The configuration of this process. */
export const settingRoutes = [
  route({
    method: 'GET',
    path: '/settings',
    summary: 'List the settings of the server that answers, without the values of secrets',
    permission: 'latchkey:settings:read',
    response: z.object({ items: z.array(SettingView) }),
    handle: async (_, { settings }) => ({ items: [...settings] }),
  }),
  route({
    method: 'POST',
    path: '/settings/test-mail',
    summary: 'Send a test e-mail to yourself, and return the response of the mail server',
    permission: 'latchkey:mail:test',
    response: TestMailView,
    handle: ({ actor }, deps) => sendTestMail(deps, actor),
  }),
];
