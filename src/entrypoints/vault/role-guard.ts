import { allows } from '../../domain/access/index.ts';
import { rolesPermission } from '../../domain/secrets/index.ts';
import { inAdministratorsWords, permissionDenied } from './answers.ts';
import type { Called, VaultDeps, VaultRoute } from './routing.ts';

type Handlers = NonNullable<VaultRoute['closed']>;

/**
 * Guards the handlers of roles of all auth methods: each needs the permission for roles. A refusal of the domain names the missing
 * permission.
 */
export function guardedRoles(handlers: Handlers): Handlers {
  const entries = Object.entries(handlers).map(([operation, handle]) => [
    operation,
    async (deps: VaultDeps, asked: Called) => {
      mayWriteRoles(asked);
      if (asked.caller.isKey) throw permissionDenied();
      return handle(deps, asked).catch(inAdministratorsWords);
    },
  ]);
  return Object.fromEntries(entries);
}

/** @throws VaultError 403 */
export function mayWriteRoles({ caller: { rights } }: Called): void {
  if (!allows(rights, rolesPermission)) throw permissionDenied();
}
