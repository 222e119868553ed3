import { randomBytes } from 'node:crypto';
import type { VaultRoleSettings } from '../../../db/schema.ts';
import { type Digest, digest, generateCredential, parseCredential, secretLength } from '../../platform/crypto/index.ts';
import { inTransaction } from '../../platform/database/index.ts';
import { type Actor, NetworkSet, notFound, parseNetwork } from '../../platform/http/index.ts';
import { listHeldRights, listRoleAssignments, mustHold } from '../access/index.ts';
import { appendEvent } from '../audit/index.ts';
import {
  deleteSecretId,
  findLiveSecretId,
  findRole,
  findSecretId,
  findSecretIdWithRole,
  insertSecretId,
  listLiveSecretIds,
  type SecretId,
  takeUse,
} from './store.ts';
import { lockVaultRole, type VaultRoleDeps } from './vault-roles.ts';

export type { SecretId } from './store.ts';

type Deps = Pick<VaultRoleDeps, 'db' | 'now'>;

const prefix = 'lk_si_';
const accessorBytes = 18;

/** Whether a text has the form of a secret id: other texts are not looked up. */
export function looksLikeSecretId(text: string): boolean {
  return parseCredential(prefix, secretLength, text) !== undefined;
}

/** The limits of a secret id; undefined: those of its role. */
export type SecretIdLimits = {
  uses?: number | undefined;
  ttl_seconds?: number | undefined;
  bound_cidrs?: readonly string[] | undefined;
  token_bound_cidrs?: readonly string[] | undefined;
  metadata?: Record<string, string>;
};

/**
 * Creates a secret id of a role. Its holder has the permissions of the role.
 *
 * @returns it, shown once; only its digest is stored
 * @throws Problem `not_found`; `forbidden`: the role has a permission that the actor does not hold
 */
export async function createSecretId(
  { db, now }: Deps,
  actor: Actor,
  { role: name, ...limits }: SecretIdLimits & { role: string },
): Promise<{ secret_id: string; stored: SecretId }> {
  return inTransaction(db, async (trx) => {
    const role = await lockVaultRole(trx, name);
    const created_at = now();
    await mustHold({ db: trx, now }, actor, await listHeldRights(trx, role.client_id, created_at));
    const secret_id = generateCredential(prefix);
    const { settings } = role;
    const uses = least(limits.uses, settings.secret_id_num_uses);
    const ttl_seconds = least(limits.ttl_seconds, settings.secret_id_ttl);
    const cidrs = limits.bound_cidrs ?? nonEmpty(settings.secret_id_bound_cidrs);
    const stored = await insertSecretId(trx, {
      ...{ digest: digest(secret_id), client_id: role.client_id, created_at, ttl_seconds, uses, uses_left: uses },
      accessor: randomBytes(accessorBytes).toString('base64url'),
      metadata: JSON.stringify(limits.metadata ?? {}),
      expires_at: ttl_seconds === null ? null : new Date(created_at.getTime() + ttl_seconds * 1000),
      ...(cidrs && { bound_cidrs: JSON.stringify(cidrs) }),
      ...(limits.token_bound_cidrs && { token_bound_cidrs: JSON.stringify(limits.token_bound_cidrs) }),
    });
    const target = { kind: 'client', id: name };
    const details = { accessor: stored.accessor, uses, ttl_seconds };
    await appendEvent(trx, { actor, action: 'vault.secret_id.created', target, details, occurred_at: created_at });
    return { secret_id, stored };
  });
}

/** The lower of two limits; 0 and undefined are none. */
function least(asked: number | undefined, ofRole: number): number | null {
  const limits = [asked, ofRole].filter((limit) => limit !== undefined && limit > 0) as number[];
  return limits.length === 0 ? null : Math.min(...limits);
}

const nonEmpty = (list: readonly string[]) => (list.length > 0 ? list : undefined);

/** The limits of the token of a login by a secret id. */
export type TakenSecretId = {
  settings: VaultRoleSettings;
  token_bound_cidrs: readonly string[] | undefined;
  metadata: Record<string, string>;
  policies: string[];
};
export type RefusedSecretId = {
  refused: 'wrong secret id' | 'secret id is not for this address';
  /** Undefined: there is none of this name. */
  role?: string;
};

/** Uses one use of a secret id: if several use the last one at once, one succeeds. */
export async function takeSecretId(
  { db, now }: Deps,
  { role: name, secret_id, address }: { role: string; secret_id: string; address: string },
): Promise<TakenSecretId | RefusedSecretId> {
  const at = now();
  const role = await findRole(db, name);
  const found = role && (await findSecretId(db, { client_id: role.client_id, digest: digest(secret_id), now: at }));
  if (!role) return { refused: 'wrong secret id' };
  if (!found) return { refused: 'wrong secret id', role: name };
  if (found.bound_cidrs && !isWithin(found.bound_cidrs, address))
    return { refused: 'secret id is not for this address', role: name };
  if (!(await takeUse(db, found.digest, at))) return { refused: 'wrong secret id', role: name };
  const cidrs = found.token_bound_cidrs ?? nonEmpty(role.settings.token_bound_cidrs);
  const policies = await listRoleAssignments(db, role.client_id, at);
  return { settings: role.settings, token_bound_cidrs: cidrs, metadata: found.metadata, policies };
}

function isWithin(cidrs: readonly string[], address: string): boolean {
  return new NetworkSet(cidrs.map(parseNetwork).filter((network) => network !== undefined)).has(address);
}

/** The secret ids of a role that can be used; undefined: there is no such role. */
export async function listSecretIds({ db, now }: Deps, name: string): Promise<SecretId[] | undefined> {
  const role = await findRole(db, name);
  return role && listLiveSecretIds(db, role.client_id, now());
}

/** A secret id of a role by its accessor, or by itself. */
export async function findSecretIdByAccessor(
  { db, now }: Deps,
  { role: name, ...by }: { role: string } & ({ accessor: string } | { secret_id: string }),
): Promise<SecretId | undefined> {
  const role = await findRole(db, name);
  if (!role) return undefined;
  const key = 'accessor' in by ? by : { digest: digest(by.secret_id) };
  return findSecretId(db, { client_id: role.client_id, now: now(), ...key });
}

/** Revokes a secret id. Tokens of its logins stay active. Repeating it changes nothing. */
export async function revokeSecretId(
  { db, now }: Deps,
  actor: Actor,
  { role, secret }: { role: string; secret: { digest: Digest; accessor: string } },
): Promise<void> {
  await inTransaction(db, async (trx) => {
    if (!(await deleteSecretId(trx, secret.digest))) return;
    const target = { kind: 'client', id: role };
    const details = { accessor: secret.accessor };
    await appendEvent(trx, { actor, action: 'vault.secret_id.revoked', target, details, occurred_at: now() });
  });
}

/** A secret id that can be used, by itself. */
export async function findSecretIdByValue({ db, now }: Deps, value: string): Promise<SecretId | undefined> {
  return findLiveSecretId(db, digest(value), now());
}

/** Revokes a secret id, whatever its role. @throws Problem `not_found` */
export async function revokeSecretIdByAccessor({ db, now }: Deps, actor: Actor, accessor: string): Promise<void> {
  const found = await findSecretIdWithRole(db, accessor);
  if (!found) throw notFound('secret id', accessor);
  await revokeSecretId({ db, now }, actor, { role: found.name, secret: found });
}
