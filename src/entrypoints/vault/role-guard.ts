import { allows } from '../../domain/access/index.ts';
import { rolesPermission } from '../../domain/secrets/index.ts';
import { Problem } from '../../platform/http/index.ts';
import { notThere, permissionDenied, VaultError } from './answers.ts';
import type { Called, VaultDeps, VaultRoute } from './routing.ts';

type Handlers = NonNullable<VaultRoute['closed']>;

/** Guards the handlers of roles, whatever they log in: each needs the permission for roles. A refusal of the domain names what the caller lacks. */
export function guardedRoles(handlers: Handlers): Handlers {
  const entries = Object.entries(handlers).map(([operation, handle]) => [
    operation,
    async (deps: VaultDeps, asked: Called) => {
      mayWriteRoles(asked);
      if (asked.caller.isKey) throw permissionDenied();
      return handle(deps, asked).catch(inVaultsWords);
    },
  ]);
  return Object.fromEntries(entries);
}

/** @throws VaultError 403 */
export function mayWriteRoles({ caller: { rights } }: Called): void {
  if (!allows(rights, rolesPermission)) throw permissionDenied();
}

/** @throws VaultError 403: which permission the caller lacks; 404, 400 */
function inVaultsWords(error: unknown): never {
  if (!(error instanceof Problem) || error.status >= 500) throw error;
  if (error.type === 'not_found') throw notThere();
  if (error.type === 'forbidden') throw new VaultError(403, 'permission denied', error.message);
  throw new VaultError(400, error.message);
}
