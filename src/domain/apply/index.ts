/** Configuration as code: applies and exports a file of resource servers, clients, users and other records. */
export { type ApplyDeps, applyConfiguration, type Change } from './apply.ts';
export { applyDemo } from './demo.ts';
export { exportConfiguration } from './export.ts';
export { readConfigurationFile } from './file.ts';
export { listPrunable, pruneConfiguration } from './prune.ts';
