import { type Login, Secrets, SecretsError } from '../../../../packages/secrets/src/index.ts';
import { Problem } from '../../../platform/http/index.ts';
import { note } from './output.ts';
import { UsageError } from './usage.ts';

/** How long the exit waits for the revocation of the login's token. */
const patienceMs = 3000;

/** The client of programs, for the command's reads. @throws UsageError, Problem: the address is not safe for credentials */
export function openSecrets(url: string, login: Login): Secrets {
  if (!URL.canParse(url)) throw new UsageError(`LATCHKEY_URL must be the URL of a server, not "${url}".`);
  const onError = (error: unknown) =>
    note(`latchkey: a secret cannot be followed at the moment: ${(error as Error).message}`);
  try {
    return new Secrets({ url, login, onError, closeWithinMs: patienceMs });
  } catch (error) {
    throw inWords(error);
  }
}

/** A failure in the words of the command. */
export function inWords(error: unknown): unknown {
  if (!(error instanceof SecretsError)) return error;
  const { status, message } = error;
  const detail = [message, ...(status !== undefined && meanings[status] ? [meanings[status]] : [])].join(' ');
  return new Problem(status ?? 503, 'remote', { title: status === undefined ? 'Unreachable' : 'Refused', detail });
}

const meanings: Readonly<Record<number, string>> = {
  403: 'The credential is invalid, is for another audience, or has no permission for the secret.',
  404: 'There is no such secret, or it was deleted.',
  503: 'The secrets are sealed, or the database cannot be reached.',
};
