/** Latchkey's secrets for Node.js programs. */
export type { Login } from './login.ts';
export { SecretsError } from './request.ts';
export { type Secret, Secrets, type SecretsOptions } from './secrets.ts';
