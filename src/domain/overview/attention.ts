import type { Db } from '../../platform/database/index.ts';
import type { Actor } from '../../platform/http/index.ts';
import { listFailedJobs } from '../../platform/jobs/index.ts';
import { allows } from '../access/index.ts';
import { findExpiringKeys } from '../api-keys/index.ts';
import { findOverdueSecrets } from '../clients/index.ts';
import { dayMs, riskDays } from '../credentials/index.ts';
import { type FailingWebhook, listFailingWebhooks } from '../notifications/index.ts';
import { listSigningKeys, stateOf } from '../signing-keys/index.ts';

export type AttentionDeps = {
  db: Db;
  now: () => Date;
  /** The difference between the clocks of this node and the database, in milliseconds. */
  clockSkewMs: () => number;
};

/** `problem`: broken now; `warning`: will break without action; `notice`: needs no action. */
export const attentionLevels = ['problem', 'warning', 'notice'] as const;

export const attentionKinds = [
  'clock_skewed',
  'webhook_failing',
  'job_failing',
  'api_keys_expiring',
  'client_secrets_overdue',
  'signing_key_pending',
] as const;

/** Something that needs attention. For several of one kind, `id` and `name` are those of the first. */
export type Attention = {
  kind: (typeof attentionKinds)[number];
  level: (typeof attentionLevels)[number];
  count: number;
  id: string | null;
  name: string | null;
  at: Date | null;
  detail: string | null;
};

type Finding = { permission: string; find: (deps: AttentionDeps) => Promise<Attention[]> };

const nothing = { id: null, name: null, at: null, detail: null };
const expiryDays = 7;
// The skew at which a node is not ready.
const mostSkewMs = 2000;
const mostWebhooks = 5;

/** In order of urgency, each with the permission to read its subject. */
const findings: readonly Finding[] = [
  { permission: 'latchkey:activity:read', find: clock },
  { permission: 'latchkey:webhook:read', find: webhooks },
  { permission: 'latchkey:activity:read', find: jobs },
  { permission: 'latchkey:api_key:read', find: expiringKeys },
  { permission: 'latchkey:client:read', find: overdueSecrets },
  { permission: 'latchkey:signing_key:read', find: pendingSigningKeys },
];

/** What needs attention, among the records that the actor may read; the most urgent first. */
export async function listAttention(deps: AttentionDeps, actor: Actor): Promise<Attention[]> {
  const readable = findings.filter(({ permission }) => allows(actor.permissions, permission));
  return (await Promise.all(readable.map(({ find }) => find(deps)))).flat();
}

async function clock({ clockSkewMs }: AttentionDeps): Promise<Attention[]> {
  const seconds = Math.round(clockSkewMs() / 1000);
  if (clockSkewMs() <= mostSkewMs) return [];
  return [{ ...nothing, kind: 'clock_skewed', level: 'problem', count: 1, detail: `${seconds} s` }];
}

async function webhooks({ db }: AttentionDeps): Promise<Attention[]> {
  return (await listFailingWebhooks(db)).slice(0, mostWebhooks).map((webhook) => ({
    kind: 'webhook_failing',
    level: 'problem',
    count: webhook.failed,
    id: webhook.id,
    name: webhook.description ?? webhook.url,
    at: webhook.since,
    detail: reasonOf(webhook),
  }));
}

function reasonOf({ disabled_because, last_status, last_error }: FailingWebhook): string | null {
  if (disabled_because !== null) return `disabled: ${disabled_because}`;
  return last_status === null ? last_error : `status ${last_status}`;
}

async function jobs({ db }: AttentionDeps): Promise<Attention[]> {
  return (await listFailedJobs(db)).map(({ name, count, last_at }) => ({
    ...{ kind: 'job_failing', level: 'problem', count, id: null, name, at: last_at, detail: null },
  }));
}

async function expiringKeys({ db, now }: AttentionDeps): Promise<Attention[]> {
  const from = now();
  const { count, first } = await findExpiringKeys(db, { from, to: new Date(from.getTime() + expiryDays * dayMs) });
  if (!first) return [];
  const { id, name, expires_at: at } = first;
  return [{ kind: 'api_keys_expiring', level: 'warning', count, id, name, at, detail: null }];
}

async function overdueSecrets({ db, now }: AttentionDeps): Promise<Attention[]> {
  const { count, first } = await findOverdueSecrets(db, now());
  if (!first) return [];
  const { client_id: id, created_at: at, risk } = first;
  const detail = `${riskDays[risk]} days`;
  return [{ kind: 'client_secrets_overdue', level: 'warning', count, id, name: id, at, detail }];
}

async function pendingSigningKeys({ db, now }: AttentionDeps): Promise<Attention[]> {
  const keys = await listSigningKeys(db);
  const pending = keys.filter((key) => stateOf(key, keys, now()) === 'pending');
  const [first] = pending;
  if (!first) return [];
  const { kid: id, alg: name, signs_from: at } = first;
  return [{ kind: 'signing_key_pending', level: 'notice', count: pending.length, id, name, at, detail: null }];
}
