import type { z } from 'zod';
import { hashProblem } from '../users/index.ts';
import { CredentialData, type KeycloakUser, SecretData } from './schemas.ts';

/** A user's password hash in PHC format, or why there is none; neither: the user has no password. */
export type ConvertedHash = { hash?: string | undefined; problem?: string };

/** Converts what Keycloak stores of a password: Argon2 (from version 24 on) or PBKDF2. */
export function convertedHash({ credentials }: Pick<KeycloakUser, 'credentials'>): ConvertedHash {
  const stored = credentials.find(({ type }) => type === 'password');
  if (!stored) return {};
  const secret = SecretData.safeParse(parsed(stored.secretData));
  const parameters = CredentialData.safeParse(parsed(stored.credentialData));
  if (!secret.success || !parameters.success) return { problem: 'password hash: it is stored in an unknown way' };
  const hash = phcOf(secret.data, parameters.data);
  const problem = hash ? hashProblem(hash) : `no counterpart of the algorithm ${parameters.data.algorithm}`;
  return problem ? { problem: `password hash: ${problem}` } : { hash };
}

function parsed(json: string | undefined): unknown {
  try {
    return JSON.parse(json ?? '');
  } catch {
    return undefined;
  }
}

const bare = (base64: string) => base64.replaceAll('=', '');

function phcOf(
  { value, salt }: z.infer<typeof SecretData>,
  { algorithm, hashIterations: count, ...more }: z.infer<typeof CredentialData>,
): string | undefined {
  const ending = `${bare(salt)}$${bare(value)}`;
  if (algorithm === 'pbkdf2-sha256' || algorithm === 'pbkdf2-sha512') return `$${algorithm}$i=${count}$${ending}`;
  if (algorithm !== 'argon2') return undefined;
  const { type = 'id', memory = '7168', parallelism = '1', version = '1.3' } = more.additionalParameters ?? {};
  return version === '1.3' ? `$argon2${type}$v=19$m=${memory},t=${count},p=${parallelism}$${ending}` : undefined;
}
