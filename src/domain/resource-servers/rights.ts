import { isDeepStrictEqual } from 'node:util';
import type { Trx } from '../../platform/database/index.ts';
import { type Actor, conflict } from '../../platform/http/index.ts';
import { mustBePermitted, mustHold, mustNotExceedLimits } from '../access/index.ts';
import { isWithin, strongestOf } from '../assurance/index.ts';
import type { DesiredState } from './desired-state.ts';
import { openTo } from './schemas.ts';
import type { Permission, ResourceServer } from './store.ts';

type Change = { now: () => Date; actor: Actor; existing: ResourceServer; desired: DesiredState };

/**
 * Guards changes of an existing resource server. In a built-in one, only the lifetime of tokens can be changed. Disabling requires
 * the permission for it. A change that does more than tighten it affects access to the API, so the actor must hold every permission
 * that the API has before and after.
 *
 * @throws Problem `conflict`: it is built in; `forbidden` naming what is missing
 */
export async function mustBeAllowedToChange(trx: Trx, { now, actor, existing, desired }: Change): Promise<void> {
  const before = stateOf(existing);
  if (existing.built_in && !isSame(withTtlOf(before, desired), desired))
    throw conflict(
      `The resource server "${existing.identifier}" is built in: only the lifetime of its access tokens can be changed.`,
    );
  if (existing.enabled && !desired.columns.enabled)
    mustBePermitted(actor, 'latchkey:resource_server:disable', 'Disabling an API');
  if (isSame(tightened(before, desired), desired)) return;
  const names = [...before.permissions, ...desired.permissions].map(({ name }) => name);
  const rights = [...new Set(names)].map((pattern) => ({ resource: existing.identifier, pattern }));
  await mustHold({ db: trx, now }, actor, rights);
  if (rights.length > 0) mustNotExceedLimits(actor, { what: 'this change of an API', until: null });
}

function stateOf({ permissions, ...row }: ResourceServer): DesiredState {
  const { name, access_token_format, access_token_signing_alg, access_token_ttl_seconds } = row;
  const { assignment_required, dpop_required, required_acr, allowed_factors, open_to, enabled } = row;
  const columns = { name, access_token_format, access_token_signing_alg, access_token_ttl_seconds };
  const forUsers = { assignment_required, dpop_required, required_acr, allowed_factors, open_to, enabled };
  return { columns: { ...columns, ...forUsers }, permissions };
}

function withTtlOf({ columns, permissions }: DesiredState, desired: DesiredState): DesiredState {
  const { access_token_ttl_seconds } = desired.columns;
  return { columns: { ...columns, access_token_ttl_seconds }, permissions };
}

/** The present state with those of the changes that only tighten it. */
function tightened({ columns, permissions }: DesiredState, desired: DesiredState): DesiredState {
  const { access_token_ttl_seconds: ttl, assignment_required, dpop_required, required_acr, open_to, enabled } = columns;
  const { allowed_factors } = desired.columns;
  return {
    columns: {
      ...columns,
      access_token_ttl_seconds: lower(ttl, desired.columns.access_token_ttl_seconds),
      assignment_required: assignment_required || desired.columns.assignment_required,
      dpop_required: dpop_required || desired.columns.dpop_required,
      required_acr: strongestOf([required_acr, desired.columns.required_acr]) ?? null,
      allowed_factors: isWithin(allowed_factors, columns.allowed_factors) ? allowed_factors : columns.allowed_factors,
      open_to: openTo.find((each) => each === open_to || each === desired.columns.open_to) ?? open_to,
      enabled: enabled && desired.columns.enabled,
    },
    permissions: permissions.map((present) => {
      const wanted = desired.permissions.find(({ name }) => name === present.name) ?? present;
      // Not `is_default`: if no scope is marked so, a request without scopes gets all that it may have.
      return {
        ...present,
        is_optional: present.is_optional || wanted.is_optional,
        is_sensitive: present.is_sensitive || wanted.is_sensitive,
        is_open: present.is_open && wanted.is_open,
      };
    }),
  };
}

/** Without a lifetime of its own, an API has that of the installation, which may be shorter than the requested one. */
function lower(present: number | null, wanted: number | null): number | null {
  return present !== null && wanted !== null ? Math.min(present, wanted) : present;
}

function isSame(one: DesiredState, other: DesiredState): boolean {
  const byName = (permissions: Permission[]) => permissions.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return (
    isDeepStrictEqual(one.columns, other.columns) &&
    isDeepStrictEqual(byName(one.permissions), byName(other.permissions))
  );
}
