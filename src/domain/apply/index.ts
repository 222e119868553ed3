/** Configuration as code: a file that says which resource servers, clients and users there are, applied and exported. */
export { type ApplyDeps, applyConfiguration, type Change } from './apply.ts';
export { applyDemo } from './demo.ts';
export { exportConfiguration } from './export.ts';
export { readConfigurationFile } from './file.ts';
export { listPrunable, pruneConfiguration } from './prune.ts';
