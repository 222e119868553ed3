import { isDeepStrictEqual } from 'node:util';
import { inOrder, isRequirable } from '../assurance/index.ts';
import { changesBetween } from '../audit/index.ts';
import type { ResourceServerInput } from './schemas.ts';
import type { Permission, ResourceServer } from './store.ts';

/** The desired state of a resource server; its permissions are sorted by name. */
export type DesiredState = {
  columns: Pick<
    ResourceServer,
    | 'name'
    | 'access_token_format'
    | 'access_token_signing_alg'
    | 'access_token_ttl_seconds'
    | 'assignment_required'
    | 'dpop_required'
    | 'required_acr'
    | 'allowed_factors'
    | 'open_to'
    | 'enabled'
  >;
  permissions: Permission[];
};

/** A resource server as configuration names it. */
export function asInput(server: ResourceServer): ResourceServerInput {
  const { identifier, name, access_token_format, access_token_signing_alg, access_token_ttl_seconds } = server;
  const { assignment_required, dpop_required, required_acr, allowed_factors, open_to, enabled, permissions } = server;
  return {
    identifier,
    name,
    access_token_format,
    ...(access_token_signing_alg && { access_token_signing_alg: access_token_signing_alg as 'ES256' }),
    ...(access_token_ttl_seconds && { access_token_ttl_seconds }),
    assignment_required,
    dpop_required,
    ...(required_acr && isRequirable(required_acr) && { required_acr }),
    ...(allowed_factors && { allowed_factors: inOrder(allowed_factors) }),
    open_to,
    enabled,
    scopes: permissions.map(scopeOf),
  };
}

function scopeOf({ name, description, is_default, is_optional, is_sensitive, is_open }: Permission) {
  return {
    name,
    ...(description && { description }),
    default: is_default,
    optional: is_optional,
    sensitive: is_sensitive,
    open: is_open,
  };
}

/** The members of a resource server that affect its access tokens. */
export function tokenSettings({ access_token_format, dpop_required, ...input }: ResourceServerInput) {
  const { access_token_signing_alg, access_token_ttl_seconds } = input;
  return {
    access_token_format,
    dpop_required,
    ...(access_token_signing_alg && { access_token_signing_alg }),
    ...(access_token_ttl_seconds && { access_token_ttl_seconds }),
  };
}

/** The changes; of the scopes, which can be many, only those that differ. */
export function changesOf(before: ResourceServerInput, after: ResourceServerInput) {
  const without = (those: ResourceServerInput) => (scope: ResourceServerInput['scopes'][number]) =>
    !those.scopes.some((other) => isDeepStrictEqual(other, scope));
  const scopes = { old: before.scopes.filter(without(after)), new: after.scopes.filter(without(before)) };
  const { scopes: _, ...changed } = changesBetween(before, after);
  return scopes.old.length + scopes.new.length > 0 ? { ...changed, scopes } : changed;
}

/** The desired content of the table and its permissions. */
export function desiredState({
  identifier: _,
  scopes,
  access_token_signing_alg,
  access_token_ttl_seconds,
  required_acr,
  allowed_factors,
  ...rest
}: ResourceServerInput): DesiredState {
  const columns = {
    ...rest,
    access_token_signing_alg: access_token_signing_alg ?? null,
    access_token_ttl_seconds: access_token_ttl_seconds ?? null,
    required_acr: required_acr ?? null,
    allowed_factors: allowed_factors ? inOrder(allowed_factors) : null,
  };
  const permissions = scopes
    .map(
      (scope): Permission => ({
        name: scope.name,
        description: scope.description ?? null,
        is_default: scope.default,
        is_optional: scope.optional,
        is_sensitive: scope.sensitive,
        is_open: scope.open,
      }),
    )
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  return { columns, permissions };
}

/** Whether the table already has the desired content. */
export function isAsDesired(
  existing: ResourceServer,
  columns: DesiredState['columns'],
  permissions: Permission[],
): boolean {
  const present = [...existing.permissions].sort((a, b) => (a.name < b.name ? -1 : 1));
  const hasColumns = Object.entries(columns).every(([name, value]) =>
    isDeepStrictEqual(existing[name as keyof ResourceServer], value),
  );
  return hasColumns && isDeepStrictEqual(present, permissions);
}
