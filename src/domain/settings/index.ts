/** Settings: the configuration of this process, for administrators. */
export { settingRoutes } from './routes.ts';
export type { SettingView } from './schemas.ts';
export type { TestMailDeps } from './test-mail.ts';
