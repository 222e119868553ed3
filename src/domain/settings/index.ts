/** Settings: what this process was configured with, for administrators to read. */
export { settingRoutes } from './routes.ts';
export type { SettingView } from './schemas.ts';
export type { TestMailDeps } from './test-mail.ts';
