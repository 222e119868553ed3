/** Incidents: handles reports of credentials that were found in public, and revokes those credentials. */
export { secretScanning, secretScanningPath } from './secret-scanning.ts';
