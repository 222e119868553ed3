import { isDeepStrictEqual } from 'node:util';
import { v7 as uuidv7 } from 'uuid';
import type { RoleMapping } from '../../../db/schema.ts';
import { type Db, inTransaction, type Trx } from '../../platform/database/index.ts';
import { type Actor, checked, conflict, invalid, mergePatch, mustBeAt, notFound } from '../../platform/http/index.ts';
import type { ServerKeys } from '../../platform/keys/index.ts';
import { appendEvent, changesBetween } from '../audit/index.ts';
import { isOtherwiseTrusted, mustBeAllowedToChange, mustNameWhom } from './rights.ts';
import { identifiedMappings, namedLogin } from './role-mappings.ts';
import { TrustInput } from './schemas.ts';
import { reviewIn, sealSecret, secretIn, secretOf, withoutStraySecret } from './secret.ts';
import {
  countTrusts,
  disableWorkloads,
  enableWorkloads,
  endWorkloadTokens,
  insertTrust,
  lockTrust,
  lockTrustNamed,
  setWorkloadRoles,
  type Trust,
  updateTrust,
  updateWorkloads,
} from './store.ts';
import { mustBeOfThisVersion } from './unknown-settings.ts';
import { lifetimesFrom } from './workloads.ts';

export type TrustsDeps = {
  db: Db;
  now: () => Date;
  keys: ServerKeys;
  /** Whether keys may be read without TLS, from this machine: in development only. */
  allowHttp: boolean;
};

const mostTrusts = 1000;

/**
 * Creates a trust, or updates the one of this name to equal the input, in the transaction of the caller.
 *
 * @throws Problem `invalid`: it contradicts itself, or would believe anyone; `conflict`: there are 1000, or only a newer version knows what it demands; `forbidden`: it gives what
 *   the actor does not hold
 */
export async function putTrust(
  trx: Trx,
  deps: Omit<TrustsDeps, 'db'>,
  actor: Actor,
  input: TrustInput,
): Promise<{ trust: Trust; change: 'created' | 'updated' | 'unchanged' }> {
  const existing = await lockTrustNamed(trx, input.name);
  if (existing) {
    mustBeOfThisVersion(existing);
    return alter(trx, deps, actor, { existing, input });
  }
  return { trust: await create(trx, deps, actor, input), change: 'created' };
}

/**
 * Creates a trust whose name must be new.
 *
 * @throws Problem as `putTrust`; `conflict`: the name is taken
 */
export async function createTrust(deps: TrustsDeps, actor: Actor, input: TrustInput): Promise<Trust> {
  return inTransaction(deps.db, (trx) => create(trx, deps, actor, input));
}

/**
 * Changes a trust by a JSON Merge Patch. Its workloads have the new permissions from the next request on; if it accepts other tokens than
 * before, the earlier permissions end.
 *
 * @throws Problem `not_found`; `precondition_failed`; `invalid`, also for another issuer or kind; `forbidden` as `putTrust`
 */
export async function changeTrust(
  deps: TrustsDeps,
  actor: Actor,
  { id, patch, ifVersion }: { id: string; patch: Record<string, unknown>; ifVersion: number | undefined },
): Promise<Trust> {
  return inTransaction(deps.db, async (trx) => {
    const existing = await lockKnown(trx, id);
    mustBeAt(existing.version, ifVersion);
    mustBeOfThisVersion(existing);
    const input = checked(TrustInput, mergePatch(asInput(existing), patch));
    return (await alter(trx, deps, actor, { existing, input })).trust;
  });
}

/**
 * Disables a trust: none of its tokens is accepted, its workloads are disabled, and the tokens issued under it are revoked. Enabling it
 * again enables the workloads that were disabled with it, and reactivates no token.
 *
 * @throws Problem `not_found`
 */
export async function disableTrust(deps: Pick<TrustsDeps, 'db' | 'now'>, actor: Actor, id: string): Promise<Trust> {
  return inTransaction(deps.db, async (trx) => {
    const trust = await lockKnown(trx, id);
    if (!trust.enabled) return trust;
    const occurred_at = deps.now();
    const disabled = await updateTrust(trx, id, { enabled: false, epoch: trust.epoch + 1, updated_at: occurred_at });
    await disableWorkloads(trx, id, occurred_at);
    await record(trx, actor, 'disabled', { trust: disabled, occurred_at });
    return disabled;
  });
}

const longestName = 100;

/**
 * Disables a trust for good, and frees its name. The caller checks the permission of the actor.
 *
 * @returns the trust as it is stored
 */
export async function retireTrust(
  trx: Trx,
  deps: Pick<TrustsDeps, 'now'>,
  actor: Actor,
  { id }: Pick<Trust, 'id'>,
): Promise<Trust> {
  const { name } = await disableTrust({ ...deps, db: trx }, actor, id);
  const updated_at = deps.now();
  const suffix = ` (until ${updated_at.toISOString()} ${id.slice(-4)})`;
  const retired = `${name.slice(0, longestName - suffix.length)}${suffix}`;
  return updateTrust(trx, id, { name: retired, vault_role: null, updated_at });
}

async function create(trx: Trx, deps: Omit<TrustsDeps, 'db'>, actor: Actor, input: TrustInput): Promise<Trust> {
  mustNameWhom(input, deps);
  await mustBeAllowedToChange(trx, { now: deps.now, actor, input });
  if ((await countTrusts(trx)) >= mostTrusts)
    throw conflict(`There are already ${mostTrusts} trusts, which is the maximum.`);
  const created_at = deps.now();
  const id = uuidv7();
  const secret = secretIn(input);
  const sealed = secret === undefined ? {} : sealSecret(deps.keys, id, secret);
  const mappings = await identifiedMappings(trx, input.login, undefined);
  const trust = await insertTrust(trx, {
    id,
    ...asStored(input, mappings),
    ...sealed,
    created_at,
    updated_at: created_at,
  });
  await record(trx, actor, 'created', { trust, occurred_at: created_at });
  return trust;
}

type Alteration = { existing: Trust; input: TrustInput };

async function alter(trx: Trx, deps: Omit<TrustsDeps, 'db'>, actor: Actor, { existing, input }: Alteration) {
  const secret = secretIn(input);
  const isNewSecret = secret !== undefined && (await secretOf(deps.keys, existing)) !== secret;
  const mappings = await identifiedMappings(trx, input.login, existing.login);
  const isSame = isDeepStrictEqual(asInput(existing), asInput({ ...existing, ...asRead(input, mappings) }));
  if (!isNewSecret && isSame && isDeepStrictEqual(existing.login?.role_mappings ?? [], mappings))
    return { trust: existing, change: 'unchanged' as const };
  mustKeepIdentity(existing, input);
  mustNameWhom(input, deps);
  await mustBeAllowedToChange(trx, { now: deps.now, actor, existing, input });
  const updated_at = deps.now();
  const isOther = isOtherwiseTrusted(existing, input);
  const isEnded = isOther || (existing.enabled && !input.enabled);
  const epoch = existing.epoch + (isEnded ? 1 : 0);
  const sealed = isNewSecret ? sealSecret(deps.keys, existing.id, secret) : withoutStraySecret(existing, input);
  const trust = await updateTrust(trx, existing.id, { ...asStored(input, mappings), ...sealed, epoch, updated_at });
  await followWorkloads(trx, { before: existing, after: trust, isOther }, updated_at);
  await record(trx, actor, 'updated', { trust, before: existing, isNewSecret, occurred_at: updated_at });
  return { trust, change: 'updated' as const };
}

/** The workloads of a trust have its present permissions, and are enabled while it is. */
async function followWorkloads(
  trx: Trx,
  { before, after, isOther }: { before: Trust; after: Trust; isOther: boolean },
  at: Date,
): Promise<void> {
  const permissions = JSON.stringify(after.permissions);
  await updateWorkloads(trx, after.id, { permissions, lifetimes: lifetimesFrom(after), updated_at: at });
  await setWorkloadRoles(trx, after, { at });
  if (before.enabled && !after.enabled) await disableWorkloads(trx, after.id, at);
  else if (!before.enabled && after.enabled) await enableWorkloads(trx, after.id, at);
  else if (isOther) await endWorkloadTokens(trx, after.id, at);
}

/** Subjects belong to their issuer: under another one the same name is another subject. @throws Problem `invalid` */
function mustKeepIdentity(existing: Trust, input: TrustInput): void {
  for (const member of ['issuer', 'kind'] as const)
    if (existing[member] !== input[member])
      throw invalid(
        `/${member}`,
        `The ${member} of a trust cannot be changed: create another trust, and disable this one.`,
      );
}

async function lockKnown(trx: Trx, id: string): Promise<Trust> {
  const trust = await lockTrust(trx, id);
  if (!trust) throw notFound('trust', id);
  return trust;
}

/** A trust in the form of a configuration file. */
export function asInput(trust: Omit<Trust, 'id' | 'epoch' | 'created_at' | 'updated_at' | 'version'>): TrustInput {
  const { name, kind, issuer, audience, jwks_uri, jwks, conditions, permissions, access_token_ttl_seconds } = trust;
  const { one_time, most_workloads, login, enabled, roles, token_review } = trust;
  return {
    ...{ name, kind, issuer },
    ...(audience !== null && { audience }),
    ...(jwks_uri !== null && { jwks_uri }),
    ...(jwks !== null && { jwks: jwks as NonNullable<TrustInput['jwks']> }),
    ...{ conditions: conditions as TrustInput['conditions'], permissions },
    ...(access_token_ttl_seconds !== null && { access_token_ttl_seconds }),
    ...{ one_time, most_workloads, enabled, roles },
    ...(token_review !== null && { token_review }),
    ...(login !== null && { login: namedLogin(login) }),
  };
}

function asRead(
  { audience, jwks_uri, jwks, access_token_ttl_seconds, login, token_review, ...input }: TrustInput,
  role_mappings: RoleMapping[],
) {
  const { client_secret: _, ...settings } = login ?? {};
  return {
    ...input,
    token_review: reviewIn({ token_review }),
    login: login ? { ...(settings as Omit<typeof login, 'client_secret'>), role_mappings } : null,
    audience: audience ?? null,
    jwks_uri: jwks_uri ?? null,
    jwks: jwks ?? null,
    access_token_ttl_seconds: access_token_ttl_seconds ?? null,
  };
}

function asStored(input: TrustInput, mappings: RoleMapping[]) {
  const { jwks, conditions, permissions, login, roles, token_review, ...plain } = asRead(input, mappings);
  return {
    ...plain,
    login: login && JSON.stringify(login),
    jwks: jwks && JSON.stringify(jwks),
    conditions: JSON.stringify(conditions),
    permissions: JSON.stringify(permissions),
    roles: JSON.stringify(roles),
    token_review: token_review && JSON.stringify(token_review),
  };
}

type Recorded = { trust: Trust; before?: Trust; isNewSecret?: boolean; occurred_at: Date };

async function record(
  trx: Trx,
  actor: Actor,
  what: 'created' | 'updated' | 'disabled',
  { trust, before, isNewSecret = false, occurred_at }: Recorded,
): Promise<void> {
  const { id, name, kind, issuer, enabled } = trust;
  const changed = before ? { changed: changesBetween(asInput(before), asInput(trust)) } : {};
  const details = { name, kind, issuer, enabled, ...changed, ...(isNewSecret && { secret_replaced: true }) };
  await appendEvent(trx, { actor, action: `trust.${what}`, target: { kind: 'trust', id }, details, occurred_at });
}
