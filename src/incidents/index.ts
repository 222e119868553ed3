/** Incidents: credentials that were found in public are reported here, and die. */
export { type LeakPolicy, leakPolicies } from './leaks.ts';
export { secretScanning, secretScanningPath } from './secret-scanning.ts';
