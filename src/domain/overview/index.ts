/** Overview: what needs attention, and the first steps after setup. */
export { areFirstStepsHidden, hideFirstSteps, showFirstSteps } from './first-steps.ts';
export { type OverviewDeps, overviewRoutes } from './routes.ts';
