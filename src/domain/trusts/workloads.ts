import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { v7 as uuidv7 } from 'uuid';
import { atMostEntries } from '../../platform/caching/index.ts';
import { type Db, inTransaction } from '../../platform/database/index.ts';
import { type Actor, isSeen } from '../../platform/http/index.ts';
import { appendEvent } from '../audit/index.ts';
import { dayMs } from '../credentials/index.ts';
import { countWorkloads, findRegistration, insertWorkload, keepWorkload, lockTrust, type Trust } from './store.ts';

export type WorkloadDeps = { db: Db; now: () => Date };

/**
 * The `client_id` of a workload: the same for a trust and a subject, always. Subjects are too long and too free for a `client_id`, and
 * two trusts may know the same one.
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
 * Registers a workload that a trust vouches for, where it is not registered yet. The trust is locked: it registers no more than it may,
 * and none after it was disabled.
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
    // A client that is registered under this id would be taken for the workload.
    if (existing) return existing.trust_id === trust_id ? undefined : 'client_id';
    if ((await countWorkloads(trx, trust_id)) >= trust.most_workloads) return 'most_workloads';
    const created_at = now();
    const client = {
      ...{ id: uuidv7(), client_id, type: 'workload' as const, registered_by: 'trust' as const, trust_id },
      metadata: JSON.stringify({ client_name: nameOf(subject), ...metadata }),
      ...{ resources: '{}', introspects: '[]' },
      service_permissions: JSON.stringify(trust.permissions),
      lifetimes: lifetimesFrom(trust),
      ...{ created_at, updated_at: created_at },
    };
    await insertWorkload(trx, client, keptUntil(created_at));
    const details = { type: 'workload', enabled: true, trust_id, trust: trust.name, subject: nameOf(subject) };
    const target = { kind: 'client', id: client_id };
    await appendEvent(trx, { actor, action: 'client.created', target, details, occurred_at: created_at });
    return undefined;
  });
}

const keptDays = 30;

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

/** Nothing but the token of its issuer makes a workload known: it has no secret, no key and no redirect. */
const metadata = {
  grant_types: [],
  response_types: [],
  redirect_uris: [],
  token_endpoint_auth_method: 'none',
  id_token_signed_response_alg: 'ES256',
  authorization_signed_response_alg: 'ES256',
};

const longestName = 200;

/** A subject as people see it. */
function nameOf(subject: string): string {
  const name = subject.slice(0, longestName);
  return isSeen(name) ? name : 'Workload';
}
