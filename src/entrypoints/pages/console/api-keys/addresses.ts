/** The address of an API key's page in the console. */
export const keyPath = (id: string) => `/console/api-keys/${encodeURIComponent(id)}`;
