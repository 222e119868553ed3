/** Activity: how often what happened by period, and the usage of clients, counted from access records and audit events. */
export { type ActivityDeps, usesOfKey } from './activity.ts';
export { rollUpActivity } from './job.ts';
export { activityRoutes } from './routes.ts';
export type { KeyUsesView } from './schemas.ts';
