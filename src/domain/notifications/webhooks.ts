import { v7 as uuidv7 } from 'uuid';
import { type Db, inTransaction, type Trx } from '../../platform/database/index.ts';
import {
  type Actor,
  checked,
  conflict,
  forbidden,
  invalid,
  mergePatch,
  mustBeAt,
  notFound,
} from '../../platform/http/index.ts';
import type { Jobs } from '../../platform/jobs/index.ts';
import type { ServerKeys } from '../../platform/keys/index.ts';
import { allows, mustNotExceedLimits } from '../access/index.ts';
import { type AuditAction, appendEvent, chainHead } from '../audit/index.ts';
import { deleteCursor, hurryCursor, insertCursor } from './cursor-store.ts';
import { testType } from './messages.ts';
import { WebhookInput } from './schemas.ts';
import { makeSecret } from './signatures.ts';
import {
  type Delivery,
  deleteWebhook,
  expireSecretsAt,
  insertDelivery,
  insertSecret,
  insertWebhook,
  listEveryWebhook,
  liveSecrets,
  lockWebhook,
  requestDeliveries,
  updateWebhook,
  type Webhook,
} from './store.ts';

export type WebhookDeps = {
  db: Db;
  now: () => Date;
  keys: ServerKeys;
  jobs: Pick<Jobs, 'send'>;
  /** Whether receivers may be reached without TLS: in development only. */
  allowHttp: boolean;
};

const mostWebhooks = 100;
const mostLiveSecrets = 4;
const readsEvents = 'latchkey:audit:read';

/**
 * Registers a receiver of events from now on.
 *
 * @returns the signing secret; shown once
 * @throws Problem `invalid`; `forbidden`: the actor may not read the audit log; `conflict`: there are 100 receivers
 */
export async function createWebhook(
  deps: WebhookDeps,
  actor: Actor,
  input: WebhookInput,
): Promise<{ webhook: Webhook; secret: string }> {
  mustBeAllowed(deps, actor, input);
  return inTransaction(deps.db, async (trx) => {
    if ((await listEveryWebhook(trx)).length >= mostWebhooks)
      throw conflict(`There are ${mostWebhooks} webhooks: delete one first.`);
    const [id, created_at] = [uuidv7(), deps.now()];
    const webhook = await insertWebhook(trx, { id, ...columnsOf(input), created_at, updated_at: created_at });
    await insertCursor(trx, id, await chainHead(trx));
    const secret = await addSecret(trx, deps, id);
    await record(trx, deps, actor, 'webhook.created', webhook);
    return { webhook, secret };
  });
}

/**
 * Updates a receiver with a JSON Merge Patch. After it is enabled again, it continues where it stopped.
 *
 * @throws Problem `not_found`; `invalid`; `precondition_failed`; `forbidden` as `createWebhook`
 */
export async function changeWebhook(
  deps: WebhookDeps,
  actor: Actor,
  { id, patch, ifVersion }: { id: string; patch: Record<string, unknown>; ifVersion: number | undefined },
): Promise<Webhook> {
  return inTransaction(deps.db, async (trx) => {
    const webhook = await lockKnown(trx, id);
    mustBeAt(webhook.version, ifVersion);
    const input = checked(WebhookInput, mergePatch(asInput(webhook), patch));
    mustBeAllowed(deps, actor, input);
    const changed = await updateWebhook(trx, id, { ...columnsOf(input), updated_at: deps.now() });
    await hurryCursor(trx, id);
    await wake(trx, deps, id);
    await record(trx, deps, actor, 'webhook.updated', changed);
    return changed;
  });
}

/** Deletes a receiver and its deliveries. @throws Problem `not_found` */
export async function removeWebhook(deps: WebhookDeps, actor: Actor, id: string): Promise<void> {
  await inTransaction(deps.db, async (trx) => {
    const webhook = await lockKnown(trx, id);
    await deleteCursor(trx, id);
    await deleteWebhook(trx, id);
    await record(trx, deps, actor, 'webhook.deleted', webhook);
  });
}

/**
 * Creates a new secret. The previous one also signs until the overlap ends.
 *
 * @throws Problem `not_found`; `conflict`: four secrets sign already
 */
export async function rotateWebhookSecret(
  deps: WebhookDeps,
  actor: Actor,
  { id, overlapSeconds }: { id: string; overlapSeconds: number },
): Promise<{ secret: string; previous_expires_at: Date }> {
  return inTransaction(deps.db, async (trx) => {
    const webhook = await lockKnown(trx, id);
    mustNotExceedLimits(actor, { what: 'the secret of a webhook', until: null });
    const now = deps.now();
    const previous_expires_at = new Date(now.getTime() + overlapSeconds * 1000);
    await expireSecretsAt(trx, id, previous_expires_at);
    if ((await liveSecrets(trx, id, now)).length >= mostLiveSecrets)
      throw conflict(`${mostLiveSecrets} secrets are active: wait for one to expire, or rotate without an overlap.`);
    const secret = await addSecret(trx, deps, id);
    await record(trx, deps, actor, 'webhook.secret.rotated', webhook, { previous_expires_at });
    return { secret, previous_expires_at };
  });
}

/** Sends one message of the type `webhook.test`. @throws Problem `not_found`; `conflict`: it is disabled */
export async function testWebhook(deps: WebhookDeps, actor: Actor, webhook_id: string): Promise<Delivery> {
  return inTransaction(deps.db, async (trx) => {
    const webhook = await lockKnown(trx, webhook_id);
    mustBeEnabled(webhook);
    const [id, created_at] = [uuidv7(), deps.now()];
    const message = { id, webhook_id, message_id: `test-${id}`, type: testType, segment: null, ordinal: null };
    const nothingYet = { last_status: null, last_error: null, created_at, updated_at: created_at };
    const delivery = await insertDelivery(trx, { ...message, state: 'requested', ...nothingYet });
    await wake(trx, deps, webhook_id);
    await record(trx, deps, actor, 'webhook.tested', webhook);
    return delivery;
  });
}

/**
 * Sends a delivery, or every dead one, once more, in addition to new messages.
 *
 * @returns how many
 * @throws Problem `not_found`; `conflict`: it is disabled
 */
export async function redeliver(
  deps: WebhookDeps,
  actor: Actor,
  { webhook_id, delivery_id }: { webhook_id: string; delivery_id?: string },
): Promise<number> {
  return inTransaction(deps.db, async (trx) => {
    const webhook = await lockKnown(trx, webhook_id);
    mustBeEnabled(webhook);
    const deliveries = await requestDeliveries(trx, webhook_id, { id: delivery_id, updated_at: deps.now() });
    if (delivery_id !== undefined && deliveries === 0) throw notFound('finished delivery', delivery_id);
    await wake(trx, deps, webhook_id);
    await record(trx, deps, actor, 'webhook.redelivered', webhook, { deliveries, delivery_id });
    return deliveries;
  });
}

async function lockKnown(trx: Trx, id: string): Promise<Webhook> {
  const webhook = await lockWebhook(trx, id);
  if (!webhook) throw notFound('webhook', id);
  return webhook;
}

function mustBeEnabled({ id, enabled }: Webhook): void {
  if (!enabled) throw conflict(`Webhook "${id}" is disabled: enable it first.`);
}

/** Sending the log to a receiver requires the permission to read it. */
function mustBeAllowed({ allowHttp }: WebhookDeps, actor: Actor, { url }: WebhookInput): void {
  if (!allows(actor.permissions, readsEvents))
    throw forbidden(readsEvents, `A webhook sends events of the audit log, so this needs "${readsEvents}" too.`);
  mustNotExceedLimits(actor, { what: 'a webhook', until: null });
  if (!allowHttp && !url.startsWith('https:')) throw invalid('/url', 'Use https: events contain personal data.');
}

async function addSecret(trx: Trx, { keys, now }: WebhookDeps, webhook_id: string): Promise<string> {
  const id = uuidv7();
  const { secret, stored } = makeSecret(keys, id);
  await insertSecret(trx, { id, webhook_id, ...stored, created_at: now(), expires_at: null });
  return secret;
}

/** Lets any node look for messages to this receiver. */
async function wake(trx: Trx, { jobs }: WebhookDeps, name: string): Promise<void> {
  await jobs.send(trx, 'webhook-retry', { name });
}

function columnsOf({ url, description, events, most_attempts, enabled }: WebhookInput) {
  const columns = { url, description: description ?? null, events: JSON.stringify(events), most_attempts, enabled };
  return { ...columns, disabled_because: null };
}

/** A receiver as an input. */
export function asInput({ url, description, events, most_attempts, enabled }: Webhook): Record<string, unknown> {
  return { url, ...(description !== null && { description }), events, most_attempts, enabled };
}

async function record(
  trx: Trx,
  { now }: Pick<WebhookDeps, 'now'>,
  actor: Actor,
  action: AuditAction,
  { id, url, events, enabled }: Webhook,
  details?: Record<string, unknown>,
): Promise<void> {
  // Paths and queries can contain secrets: the host identifies the receiver.
  const told = { host: new URL(url).host, events, enabled, ...details };
  await appendEvent(trx, { actor, action, target: { kind: 'webhook', id }, details: told, occurred_at: now() });
}
