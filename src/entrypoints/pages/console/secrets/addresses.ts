/** The addresses of secrets in the console. */
export const secretPath = (path: string) => `/console/secrets/${encodeURIComponent(path)}`;
export const versionPath = (path: string, number: number) => `${secretPath(path)}/versions/${number}`;
