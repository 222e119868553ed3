import type { VaultAuthConfig, VaultAuthMethod } from '../../../db/schema.ts';
import type { SealedPlace } from '../../platform/crypto/index.ts';
import { type Db, inTransaction, type Trx } from '../../platform/database/index.ts';
import type { Actor } from '../../platform/http/index.ts';
import { openForProvider, sealForProvider } from '../../platform/keys/index.ts';
import { mustHold } from '../access/index.ts';
import { appendEvent } from '../audit/index.ts';
import type { TrustsDeps } from '../trusts/index.ts';
import { writeRoleTrust } from './role-trusts.ts';
import { findMethod, listRoleTrusts, lockMethod, type MethodRow, upsertMethod } from './store.ts';

export type VaultAuthDeps = TrustsDeps & {
  /** The store of secrets as a resource server. */
  audience: string;
};

/** The issuer configuration of an auth method. `hasToken`: whether it has a reviewer token. */
export type AuthMethod = { config: VaultAuthConfig; hasToken: boolean };

export async function findAuthMethod({ db }: { db: Db }, method: VaultAuthMethod): Promise<AuthMethod | undefined> {
  const row = await findMethod(db, method);
  return row && { config: row.config, hasToken: row.sealed_token !== null };
}

type NewMethod = { method: VaultAuthMethod; config: VaultAuthConfig; token: string | undefined };

/**
 * Sets the issuer configuration of an auth method, for its present and future roles. The issuer decides who logs in with them: so this
 * needs all permissions at the store.
 *
 * @throws Problem `forbidden`; as `putTrust` for one of the roles
 */
export async function putAuthMethod(
  deps: VaultAuthDeps,
  actor: Actor,
  { method, config, token }: NewMethod,
): Promise<void> {
  await inTransaction(deps.db, async (trx) => {
    await lockMethod(trx, method);
    await mustHold({ db: trx, now: deps.now }, actor, [{ resource: deps.audience, pattern: 'secrets:*' }]);
    const updated_at = deps.now();
    const sealed = token === undefined ? { sealed_token: null, token_key_id: null } : sealToken(deps, method, token);
    await upsertMethod(trx, { method, config: JSON.stringify(config), ...sealed, updated_at });
    for (const trust of await listRoleTrusts(trx, method))
      await writeRoleTrust(trx, deps, actor, { role: trust.vault_role, roles: trust.roles, trust, config, token });
    const { issuer, jwks_uri, token_review } = config;
    const details = { issuer, ...(jwks_uri && { jwks_uri }), ...(token_review && { token_review: token_review.url }) };
    const target = { kind: 'vault_auth_method', id: method };
    await appendEvent(trx, { actor, action: 'vault.auth.configured', target, details, occurred_at: updated_at });
  });
}

function sealToken({ keys }: Pick<VaultAuthDeps, 'keys'>, method: VaultAuthMethod, token: string) {
  const { key_id: token_key_id, sealed: sealed_token } = sealForProvider(keys, placeOf(method), token);
  return { token_key_id, sealed_token };
}

/** The reviewer token. */
async function tokenOf(
  { keys }: Pick<VaultAuthDeps, 'keys'>,
  { method, sealed_token, token_key_id }: MethodRow,
): Promise<string | undefined> {
  return openForProvider(keys, placeOf(method), { key_id: token_key_id, sealed: sealed_token });
}

const placeOf = (method: VaultAuthMethod): SealedPlace => ['vault_auth_methods', 'sealed_token', method];

/** @returns undefined: it was not configured */
export async function lockConfigured(
  trx: Trx,
  deps: Pick<VaultAuthDeps, 'keys'>,
  method: VaultAuthMethod,
): Promise<{ config: VaultAuthConfig; token: string | undefined } | undefined> {
  await lockMethod(trx, method);
  const row = await findMethod(trx, method);
  return row && { config: row.config, token: await tokenOf(deps, row) };
}
