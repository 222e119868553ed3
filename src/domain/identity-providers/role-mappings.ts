import type { Trx } from '../../platform/database/index.ts';
import { setMappedRoles } from '../access/index.ts';
import { dayMs } from '../credentials/index.ts';
import { mappedRoleDays, mappedRoleIds } from '../trusts/index.ts';
import { lockUserById } from '../users/index.ts';
import type { Arrival } from './arrival.ts';

type Admitted = { identity_id: string; user_id: string; occurred_at: Date };

/** Assigns the roles that follow from the claims of a user's account at the provider, and removes those that no longer follow. */
export async function followRoleMappings(
  trx: Trx,
  { trust, account, origin }: Arrival,
  { identity_id, user_id, occurred_at }: Admitted,
): Promise<void> {
  const { role_mappings = [], for_administrators: forAdministrators } = trust.login;
  // A change of the mappings ends the roles that they assigned.
  if (role_mappings.length === 0) return;
  // Of two concurrent sign-ins, the second sees the roles that the first assigned.
  await lockUserById(trx, user_id);
  const role_ids = mappedRoleIds(account.claims, trust.login);
  const until = new Date(occurred_at.getTime() + mappedRoleDays(trust.login) * dayMs);
  await setMappedRoles(trx, { user_id, trust, identity_id, role_ids, forAdministrators, origin, occurred_at, until });
}
