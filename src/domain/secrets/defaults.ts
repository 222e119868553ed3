import { type Db, inTransaction } from '../../platform/database/index.ts';
import type { Actor } from '../../platform/http/index.ts';
import { appendEvent, changesBetween } from '../audit/index.ts';
import { findDefaults, lockDefaults, putDefaults, type SecretDefaults } from './store.ts';

/** How many versions are kept unless something else was stored. */
export const usualVersions = 10;
const builtIn: SecretDefaults = { max_versions: usualVersions, cas_required: false, delete_after_seconds: null };

type Deps = { db: Db; now: () => Date };

/** The settings of secrets that are created from now on. */
export async function secretDefaults(db: Db): Promise<SecretDefaults> {
  return (await findDefaults(db)) ?? builtIn;
}

/** Changes these settings; existing secrets keep theirs. */
export async function changeSecretDefaults(
  { db, now }: Deps,
  actor: Actor,
  change: (before: SecretDefaults) => SecretDefaults,
): Promise<void> {
  await inTransaction(db, async (trx) => {
    await lockDefaults(trx);
    const before = await secretDefaults(trx);
    const after = change(before);
    const changed = changesBetween(before, after);
    if (Object.keys(changed).length === 0) return;
    const occurred_at = now();
    await putDefaults(trx, { ...after, updated_at: occurred_at });
    const target = { kind: 'secret_defaults', id: 'secret' };
    await appendEvent(trx, { actor, action: 'secret.defaults.changed', target, details: { changed }, occurred_at });
  });
}
