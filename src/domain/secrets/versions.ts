import type { Trx } from '../../platform/database/index.ts';
import { notFound } from '../../platform/http/index.ts';
import { type AuditAction, appendEvent } from '../audit/index.ts';
import type { SecretsDeps } from './deps.ts';
import type { SecretVerb } from './paths.ts';
import { mustAllow, type SecretCaller } from './rights.ts';
import { lockSecret, markDeleted, markDestroyed, markUndeleted, type SecretRow } from './store.ts';

export type ChosenVersions = {
  path: string;
  /** Undefined: the current one. */
  numbers?: readonly number[] | undefined;
};

type Change = {
  verb: SecretVerb;
  action: AuditAction;
  mark: (trx: Trx, secret_id: string, numbers: readonly number[], at: Date) => Promise<number[]>;
};

/**
 * Deletes versions: they cannot be read until they are undeleted. Deleted or missing ones do not count.
 *
 * @throws Problem `forbidden`; `sealed`; `not_found`: there is no such secret
 */
export const deleteVersions = changing({ verb: 'delete', action: 'secret.deleted', mark: markDeleted });

/** Makes deleted or expired versions readable again. @throws as `deleteVersions` */
export const undeleteVersions = changing({ verb: 'delete', action: 'secret.undeleted', mark: markUndeleted });

/** Destroys versions for ever: their keys are deleted, also those of deleted versions. @throws as `deleteVersions` */
export const destroyVersions = changing({ verb: 'destroy', action: 'secret.destroyed', mark: markDestroyed });

function changing({ verb, action, mark }: Change) {
  return async (deps: SecretsDeps, caller: SecretCaller, { path, numbers }: ChosenVersions): Promise<SecretRow> => {
    await mustAllow(deps, caller, { verb, path });
    return deps.vault.inOpenTransaction(deps.db, async (trx) => {
      const secret = await lockSecret(trx, path);
      if (!secret) throw notFound('secret', path);
      const occurred_at = deps.now();
      const changed = await mark(trx, secret.id, numbers ?? [secret.current_version], occurred_at);
      if (changed.length === 0) return secret;
      const target = { kind: 'secret', id: path };
      const details = { versions: changed };
      await appendEvent(trx, { actor: caller.actor, action, target, details, occurred_at });
      return secret;
    });
  };
}
