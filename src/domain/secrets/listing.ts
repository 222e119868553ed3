import type { Page } from '../../platform/http/index.ts';
import { allows, intersection } from '../access/index.ts';
import { appendEvent } from '../audit/index.ts';
import type { SecretsDeps } from './deps.ts';
import { listNames, listSecrets, listUnreadable, type SecretsRequest } from './list-store.ts';
import { listablePaths, permissionFor } from './paths.ts';
import type { SecretCaller } from './rights.ts';
import type { SecretRecord } from './store.ts';

/**
 * The secrets that the caller may list, without values. The list is recorded.
 *
 * @throws Problem `sealed`
 */
export async function listAllowedSecrets(
  deps: SecretsDeps,
  { actor, rights }: SecretCaller,
  request: Omit<SecretsRequest, 'paths' | 'now'>,
): Promise<Page<SecretRecord>> {
  const paths = listablePaths(rights);
  return deps.vault.inOpenTransaction(deps.db, async (trx) => {
    const now = deps.now();
    const page = await listSecrets(trx, { ...request, paths, now });
    const details = { prefix: request.prefix ?? '', secrets: page.items.length };
    const target = { kind: 'secret', id: request.prefix ?? '' };
    await appendEvent(trx, { actor, action: 'secret.listed', target, details, occurred_at: now });
    return page;
  });
}

/**
 * The names in a folder that the caller may list: of secrets, and of folders, with a `/` at the end, that contain any of them.
 *
 * @param folder empty, or with a `/` at the end
 * @param only `readable`: secrets whose current version can be read
 */
export async function listFolder(
  deps: SecretsDeps,
  { actor, rights }: SecretCaller,
  folder: string,
  only: { readable?: true } = {},
): Promise<string[]> {
  return deps.vault.inOpenTransaction(deps.db, async (trx) => {
    const allowed = (await listNames(trx, folder)).filter((name) => mayList(rights, `${folder}${name}`));
    const gone = only.readable ? await listUnreadable(trx, { folder, names: allowed, now: deps.now() }) : new Set();
    const names = allowed.filter((name) => !gone.has(name));
    const details = { prefix: folder, names: names.length };
    const target = { kind: 'secret', id: folder };
    await appendEvent(trx, { actor, action: 'secret.listed', target, details, occurred_at: deps.now() });
    return names;
  });
}

/** Whether the caller may list something in a folder, or a secret. */
export function mayList(rights: readonly string[], path: string): boolean {
  if (!path.endsWith('/') && path !== '') return allows(rights, permissionFor('list', path));
  const within = path === '' ? 'secrets:list:*' : `${permissionFor('list', path.slice(0, -1))}:*`;
  return intersection(rights, [within]).length > 0;
}
