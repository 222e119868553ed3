import { allows } from '../access/index.ts';
import { appendEvent } from '../audit/index.ts';
import type { SecretsDeps } from './deps.ts';
import { permissionFor } from './paths.ts';
import type { SecretCaller } from './rights.ts';
import { type FoundVersion, listVersionsWith } from './search-store.ts';
import { digestOf } from './values.ts';

const mostFound = 1000;

/** The HMAC by which the audit log names a part of a value. */
export function auditHash({ keys }: Pick<SecretsDeps, 'keys'>, value: unknown): string {
  return digestOf(keys.current('secret').key, value);
}

/**
 * The versions of secrets that have this value as a part, of those that the caller may read: a match confirms the value. The search is
 * recorded, with any result.
 *
 * @throws Problem `sealed`
 */
export async function findSecretsWith(
  deps: SecretsDeps,
  { actor, rights }: SecretCaller,
  value: unknown,
): Promise<{ hash: string; items: FoundVersion[] }> {
  const hash = auditHash(deps, value);
  return deps.vault.inOpenTransaction(deps.db, async (trx) => {
    const found = await listVersionsWith(trx, hash, mostFound);
    const items = found.filter(({ path }) => allows(rights, permissionFor('read', path)));
    const target = { kind: 'secret', id: '' };
    const details = { hash, found: items.length };
    await appendEvent(trx, { actor, action: 'secret.searched', target, details, occurred_at: deps.now() });
    return { hash, items };
  });
}
