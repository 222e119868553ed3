/** Keycloak: imports a realm. */
export { type ImportResult, importRealm } from './import.ts';
