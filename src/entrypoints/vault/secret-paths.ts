import { pathProblem } from '../../domain/secrets/index.ts';
import { VaultError } from './answers.ts';

/**
 * The path of a secret in a URL, decoded.
 *
 * @throws VaultError 400: the store does not allow such a path
 */
export function secretPathOf(written: string, folder = ''): string {
  const path = `${folder}${decoded(written)}`;
  const problem = pathProblem(path);
  if (problem) throw new VaultError(400, `invalid path: it ${problem}`);
  return path;
}

/** A folder, with a slash at the end; the root is empty. @throws VaultError 400 */
export function folderOf(written: string, folder = ''): string {
  if (written === '') return folder;
  return `${secretPathOf(written, folder)}/`;
}

function decoded(written: string): string {
  try {
    return decodeURIComponent(written);
  } catch {
    throw new VaultError(400, 'invalid path: it is not encoded as UTF-8');
  }
}
