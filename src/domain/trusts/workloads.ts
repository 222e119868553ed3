import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { v7 as uuidv7 } from 'uuid';
import { atMostEntries } from '../../platform/caching/index.ts';
import { type Db, inTransaction, type Trx } from '../../platform/database/index.ts';
import { type Actor, conflict, isSeen, notFound, system } from '../../platform/http/index.ts';
import { appendEvent } from '../audit/index.ts';
import { dayMs } from '../credentials/index.ts';
import {
  countWorkloads,
  deleteWorkload,
  findRegistration,
  insertWorkload,
  keepWorkload,
  lockTrust,
  lockUnusedWorkload,
  lockWorkload,
  setWorkloadRoles,
  type Trust,
} from './store.ts';

export type WorkloadDeps = { db: Db; now: () => Date };

/**
 * The `client_id` of a workload: always the same for a trust and a subject. Subjects are too long and too varied for a `client_id`, and two
 * trusts may have the same one.
 */
export function workloadClientId({ id }: Pick<Trust, 'id'>, subject: string): string {
  const digest = createHash('sha256')
    .update(JSON.stringify([id, subject]))
    .digest('hex');
  return `workload-${digest.slice(0, 32)}`;
}

/** The lifetimes of a trust's workloads, as clients have them. */
export function lifetimesFrom({ access_token_ttl_seconds }: Pick<Trust, 'access_token_ttl_seconds'>): string {
  return JSON.stringify(access_token_ttl_seconds === null ? {} : { access_token: access_token_ttl_seconds });
}

/** Why a workload is not registered. */
export type RegistrationRefusal = 'trust' | 'most_workloads' | 'client_id';

/**
 * Registers a workload that a trust accepts, if it is not registered yet. The trust is locked: it registers no more than allowed, and none
 * after it was disabled.
 *
 * @returns why it is refused; undefined: it is registered
 */
export async function registerWorkload(
  { db, now }: WorkloadDeps,
  actor: Actor,
  { trust_id, subject }: { trust_id: string; subject: string },
): Promise<RegistrationRefusal | undefined> {
  return inTransaction(db, async (trx) => {
    const trust = await lockTrust(trx, trust_id);
    if (!trust?.enabled) return 'trust';
    const client_id = workloadClientId(trust, subject);
    const existing = await findRegistration(trx, client_id);
    // Another client that is registered under this id would be taken for the workload.
    if (existing) return existing.trust_id === trust_id ? undefined : 'client_id';
    const created_at = now();
    if (!(await hasPlace(trx, trust, created_at))) return 'most_workloads';
    const client = {
      ...{ id: uuidv7(), client_id, type: 'workload' as const, registered_by: 'trust' as const, trust_id },
      metadata: JSON.stringify({ client_name: nameOf(subject), ...metadata }),
      ...{ resources: '{}', introspects: '[]' },
      service_permissions: JSON.stringify(trust.permissions),
      lifetimes: lifetimesFrom(trust),
      ...{ created_at, updated_at: created_at },
    };
    await insertWorkload(trx, client, keptUntil(created_at));
    await setWorkloadRoles(trx, trust, { client_id: client.id, at: created_at });
    const { roles } = trust;
    const given = { trust_id, trust: trust.name, subject: nameOf(subject), ...(roles.length > 0 && { roles }) };
    const details = { type: 'workload', enabled: true, ...given };
    const target = { kind: 'client', id: client_id };
    await appendEvent(trx, { actor, action: 'client.created', target, details, occurred_at: created_at });
    return undefined;
  });
}

/** Whether one more workload may be registered; it can replace one that was unused for days. */
async function hasPlace(trx: Trx, { id, most_workloads }: Trust, now: Date): Promise<boolean> {
  if ((await countWorkloads(trx, id)) < most_workloads) return true;
  const unused = await lockUnusedWorkload(trx, id, new Date(keptUntil(now).getTime() - unusedDays * dayMs));
  if (!unused || !(await deleteWorkload(trx, unused.id))) return false;
  await recordDeleted(trx, system, { ...unused, trust_id: id, occurred_at: now });
  return true;
}

/**
 * Deletes the client of a workload, which revokes its tokens. It is registered again when the workload returns, so a disabled one cannot be
 * deleted: it would be enabled again.
 *
 * @throws Problem `not_found`; `conflict`: it is disabled, or owns another client
 */
export async function removeWorkload(
  { db, now }: WorkloadDeps,
  actor: Actor,
  { trust_id, client_id }: { trust_id: string; client_id: string },
): Promise<void> {
  await inTransaction(db, async (trx) => {
    if (!(await lockTrust(trx, trust_id))) throw notFound('trust', trust_id);
    const workload = await lockWorkload(trx, trust_id, client_id);
    if (!workload) throw notFound('workload', client_id);
    if (!workload.enabled)
      throw conflict(`"${workload.subject}" is disabled and would come back enabled: enable it before you delete it.`);
    if (!(await deleteWorkload(trx, workload.id)))
      throw conflict(`"${workload.subject}" is the owner of another client: give that another owner first.`);
    await recordDeleted(trx, actor, { ...workload, client_id, trust_id, occurred_at: now() });
  });
}

type Deleted = { client_id: string; trust_id: string; subject: string; occurred_at: Date };

async function recordDeleted(trx: Trx, actor: Actor, { client_id, trust_id, subject, occurred_at }: Deleted) {
  const target = { kind: 'client', id: client_id };
  await appendEvent(trx, { actor, action: 'client.deleted', target, details: { trust_id, subject }, occurred_at });
}

const keptDays = 30;
/** A use is recorded once a day. */
const unusedDays = 2;

/** Until when the client of a workload that requests a token now is kept. */
const keptUntil = (now: Date): Date => new Date(now.getTime() + keptDays * dayMs);

const mostRemembered = 10_000;

/**
 * Keeps the clients of workloads that request tokens; those that requested none for 30 days are deleted, and registered again when
 * they come back. A node writes once a day for each.
 */
export class WorkloadUses {
  readonly #deps: WorkloadDeps;
  readonly #noted = new LRUCache<string, { day: number }>(atMostEntries(mostRemembered));

  constructor(deps: WorkloadDeps) {
    this.#deps = deps;
  }

  async note(client_id: string): Promise<void> {
    const now = this.#deps.now();
    const day = Math.floor(now.getTime() / dayMs);
    if (this.#noted.get(client_id)?.day === day) return;
    await keepWorkload(this.#deps.db, client_id, keptUntil(now));
    this.#noted.set(client_id, { day });
  }
}

/** Only the token of its issuer authenticates a workload: it has no secret, no key and no redirect URI. */
const metadata = {
  grant_types: [],
  response_types: [],
  redirect_uris: [],
  token_endpoint_auth_method: 'none',
  id_token_signed_response_alg: 'ES256',
  authorization_signed_response_alg: 'ES256',
};

const longestName = 200;

/** A subject for display. */
function nameOf(subject: string): string {
  const name = subject.slice(0, longestName);
  return isSeen(name) ? name : 'Workload';
}
