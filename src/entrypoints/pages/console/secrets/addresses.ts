/** Where the console shows a secret. */
export const secretPath = (path: string) => `/console/secrets/${encodeURIComponent(path)}`;
export const versionPath = (path: string, number: number) => `${secretPath(path)}/versions/${number}`;
