import type { ClaimCondition, VaultAuthConfig, VaultAuthRole } from '../../../db/schema.ts';
import type { Trx } from '../../platform/database/index.ts';
import { type Actor, checked, conflict } from '../../platform/http/index.ts';
import { listRolesNamed } from '../access/index.ts';
import { lockTrustNamed, putTrust, retireTrust, TrustInput, type TrustsDeps } from '../trusts/index.ts';
import { markAsRole, type RoleTrust } from './store.ts';

/** The claims that a role requires, and the audience of its tokens; undefined: this installation. */
export type RoleBounds = { conditions: ClaimCondition[]; audience?: string };

export type WrittenRole = {
  role: VaultAuthRole;
  /** Undefined: those of the trust. */
  bounds?: RoleBounds;
  /** Roles of this installation that its workloads have. */
  roles: readonly string[];
  /** The trust of the role; undefined: none yet. */
  trust: RoleTrust | undefined;
  config: VaultAuthConfig;
  token: string | undefined;
};

/**
 * Updates the trust of a role from the role and its method. A trust keeps its issuer: for another one it is retired, and a new trust is
 * created.
 *
 * @throws Problem `conflict`: there is another trust of the name; otherwise as `putTrust`
 */
export async function writeRoleTrust(
  trx: Trx,
  deps: Omit<TrustsDeps, 'db'>,
  actor: Actor,
  { role, bounds, roles, trust, config, token }: WrittenRole,
): Promise<void> {
  const { issuer, jwks, jwks_uri, token_review } = config;
  const name = trust?.name ?? `${role.method}/${role.name}`;
  const { conditions, audience } = bounds ?? boundsOf(trust, issuer);
  const existing = await rolesThatExist(trx, roles);
  const input = checked(TrustInput, {
    ...{ name, issuer, conditions, roles: bounds ? roles : existing },
    ...(audience !== undefined && { audience }),
    ...(jwks && { jwks }),
    ...(jwks_uri !== undefined && { jwks_uri }),
    ...(token_review && { token_review: { ...token_review, ...(token !== undefined && { token }) } }),
    ...(trust && { one_time: trust.one_time, most_workloads: trust.most_workloads, permissions: trust.permissions }),
    ...(trust &&
      trust.access_token_ttl_seconds !== null && { access_token_ttl_seconds: trust.access_token_ttl_seconds }),
    // Writing a role does not enable a disabled trust.
    ...(trust && { enabled: trust.enabled }),
  });
  if (trust && trust.issuer !== issuer) await retireTrust(trx, deps, actor, trust);
  else if (!trust && (await lockTrustNamed(trx, name)))
    throw conflict(`There is a trust named "${name}" that is not a role: rename it, or choose another name.`);
  const made = await putTrust(trx, deps, actor, input);
  await markAsRole(trx, made.trust.id, role);
}

/** A role without an audience uses that of its issuer, also of the next one. */
function boundsOf(trust: RoleTrust | undefined, issuer: string): RoleBounds {
  const audience = trust?.audience === trust?.issuer ? issuer : trust?.audience;
  return { conditions: trust?.conditions ?? [], ...(audience && { audience }) };
}

/** Policies that were deleted meanwhile do not prevent a deletion. */
async function rolesThatExist(trx: Trx, names: readonly string[]): Promise<string[]> {
  const known = new Set((await listRolesNamed(trx, names)).map(({ name }) => name));
  return names.filter((name) => known.has(name));
}
