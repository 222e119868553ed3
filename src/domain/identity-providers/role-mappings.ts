import type { Trx } from '../../platform/database/index.ts';
import { setMappedRoles } from '../access/index.ts';
import { dayMs } from '../credentials/index.ts';
import { mappedRoleDays, mappedRoleIds } from '../trusts/index.ts';
import { lockUserById } from '../users/index.ts';
import type { Arrival } from './arrival.ts';

type Admitted = { identity_id: string; user_id: string; occurred_at: Date };

/** Gives a user the roles that the claims of their account at the provider say, and takes those that they no longer say. */
export async function followRoleMappings(
  trx: Trx,
  { trust, account, origin }: Arrival,
  { identity_id, user_id, occurred_at }: Admitted,
): Promise<void> {
  const { role_mappings = [], for_administrators: forAdministrators } = trust.login;
  // A change of the mappings ends what they gave.
  if (role_mappings.length === 0) return;
  // Of two sign-ins at once, the second sees what the first gave.
  await lockUserById(trx, user_id);
  const role_ids = mappedRoleIds(account.claims, trust.login);
  const until = new Date(occurred_at.getTime() + mappedRoleDays(trust.login) * dayMs);
  await setMappedRoles(trx, { user_id, trust, identity_id, role_ids, forAdministrators, origin, occurred_at, until });
}
