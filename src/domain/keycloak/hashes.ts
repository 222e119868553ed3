import type { z } from 'zod';
import { hashProblem } from '../users/index.ts';
import { CredentialData, type KeycloakUser, parsedText, SecretData } from './schemas.ts';

/** A user's password hash in PHC format, or why it cannot be imported; neither: the user has no password. */
export type ConvertedHash = { hash?: string | undefined; problem?: string };

/** Converts the password hash that Keycloak stores: Argon2 (from version 24 on) or PBKDF2. */
export function convertedHash({
  credentials,
  requiredActions,
}: Pick<KeycloakUser, 'credentials' | 'requiredActions'>): ConvertedHash {
  const stored = credentials.find(({ type }) => type === 'password');
  if (!stored) return {};
  // An administrator knows a temporary password, and the user had to replace it.
  if (stored.temporary || requiredActions.includes('UPDATE_PASSWORD'))
    return { problem: 'the password was temporary (UPDATE_PASSWORD)' };
  if (stored.value) return { problem: 'the file has the password in plain text' };
  const { hashedSaltedValue, salt } = stored;
  const older = hashedSaltedValue ? { value: hashedSaltedValue, ...(salt && { salt }) } : undefined;
  const secret = SecretData.safeParse(parsedText(stored.secretData) ?? older);
  const parameters = CredentialData.safeParse(parsedText(stored.credentialData) ?? (older && withoutNulls(stored)));
  if (!secret.success || !parameters.success) return { problem: 'password hash: it is stored in an unknown way' };
  const hash = phcOf(secret.data, parameters.data);
  const problem = hash ? hashProblem(hash) : `no counterpart of the algorithm ${parameters.data.algorithm}`;
  return problem ? { problem: `password hash: ${problem}` } : { hash };
}

const withoutNulls = (stored: object) =>
  Object.fromEntries(Object.entries(stored).filter(([, value]) => value !== null));

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
