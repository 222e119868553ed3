// Keycloak creates these in every realm.
const ownClients = /^(account|account-console|admin-cli|broker|realm-management|security-admin-console|.+-realm)$/;
const ownRoles = /^(offline_access|uma_authorization|default-roles-.+)$/;

/** Whether a client is one that Keycloak creates in every realm. */
export const isOwnClient = (name: string): boolean => ownClients.test(name);

/** Whether a role is one that Keycloak creates in every realm. */
export const isOwnRole = (name: string): boolean => ownRoles.test(name);
