import type { LoginSettings, TokenReviewSettings, VaultAuthRole } from '../../../db/schema.ts';
import { conflict } from '../../platform/http/index.ts';
import { isKnownCondition } from './conditions.ts';
import { kinds } from './kinds.ts';
import type { Trust } from './store.ts';

// tsc reports a column or member that is missing here.
const columns: Record<keyof Trust, true> = {
  ...{ id: true, name: true, kind: true, issuer: true, audience: true, jwks_uri: true, jwks: true, conditions: true },
  ...{
    permissions: true,
    access_token_ttl_seconds: true,
    one_time: true,
    most_workloads: true,
    login: true,
    roles: true,
  },
  ...{ token_review: true, vault_role: true, sealed_secret: true, secret_key_id: true, enabled: true, epoch: true },
  ...{ created_at: true, updated_at: true, version: true },
};
const membersOfLogin: Record<keyof LoginSettings, true> = {
  ...{ provider: true, client_id: true, scopes: true, label: true, email_domains: true, creation: true },
  ...{ for_administrators: true, role_mappings: true, mapped_role_days: true },
};
const membersOfReview: Record<keyof TokenReviewSettings, true> = { url: true, ca: true };
const membersOfVaultRole: Record<keyof VaultAuthRole, true> = {
  ...{ method: true, name: true, shown: true, token_ttl: true, token_max_ttl: true, token_num_uses: true },
  token_bound_cidrs: true,
};

/**
 * The settings of a trust that only a newer version knows, while nodes of both run. Their requirements cannot be checked here, so the trust
 * accepts nothing on this node. A setting that is null, false or empty requires nothing: migrations add columns in that state.
 */
export function unknownSettings(trust: Trust): string[] {
  const { kind, conditions, login, token_review, vault_role } = trust;
  return [
    ...(kinds.some((known) => known === kind) ? [] : ['kind']),
    ...(conditions.every(isKnownCondition) ? [] : ['conditions']),
    ...unknownIn(trust, columns),
    ...unknownIn(login, membersOfLogin).map((member) => `login.${member}`),
    ...unknownIn(token_review, membersOfReview).map((member) => `token_review.${member}`),
    ...unknownIn(vault_role, membersOfVaultRole).map((member) => `vault_role.${member}`),
  ];
}

/** A change here could remove a requirement of a newer version. @throws Problem `conflict` */
export function mustBeOfThisVersion(existing: Trust): void {
  const unknown = unknownSettings(existing);
  if (unknown.length > 0)
    throw conflict(
      `Only a newer version of Latchkey knows these settings of this trust: ${unknown.join(', ')}. Change it at a node of that version.`,
    );
}

function unknownIn(settings: object | null, known: Readonly<Record<string, true>>): string[] {
  const set = Object.entries(settings ?? {}).filter(([, value]) => !demandsNothing(value));
  return set.map(([name]) => name).filter((name) => !Object.hasOwn(known, name));
}

function demandsNothing(value: unknown): boolean {
  if (value === null || value === undefined || value === false || value === '') return true;
  const isList = Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype;
  return isList && Object.keys(value).length === 0;
}
