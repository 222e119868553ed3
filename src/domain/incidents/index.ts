/** Incidents: credentials that were found in public are reported here, and die. */
export { secretScanning, secretScanningPath } from './secret-scanning.ts';
