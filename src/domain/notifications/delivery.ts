import { v7 as uuidv7 } from 'uuid';
import type { DeliveryState } from '../../../db/schema.ts';
import { type Db, inTransaction, type Trx } from '../../platform/database/index.ts';
import { system } from '../../platform/http/index.ts';
import type { Jobs } from '../../platform/jobs/index.ts';
import type { ServerKeys } from '../../platform/keys/index.ts';
import type { Posting } from '../../platform/outbound/index.ts';
import { appendEvent, type SealedSegment, sealedAfter } from '../audit/index.ts';
import { type Cursor, type Lease, saveCursor } from './cursor-store.ts';
import { isWanted, type Message, messagesOf, type PlacedMessage, testType, textOf } from './messages.ts';
import { signedHeaders } from './signatures.ts';
import {
  type Delivery,
  findWebhook,
  liveSecrets,
  nextRequested,
  noteAttempt,
  updateWebhook,
  type Webhook,
} from './store.ts';

export type DeliveryDeps = {
  db: Db;
  now: () => Date;
  keys: ServerKeys;
  jobs: Jobs;
  post: Posting;
  closing: AbortSignal;
};

/** The outcome of an attempt: the receiver's status, or the error. */
type Outcome = { last_status: number | null; last_error: string | null };

const gone = 410;
const firstDelaySeconds = 5;
const delayFactor = 4;
const longestDelaySeconds = 21_600;

/** Seconds until the next attempt after a number of attempts: 5, 20, 80 and so on, at most six hours. */
function delayAfter(attempts: number): number {
  return Math.min(firstDelaySeconds * delayFactor ** (attempts - 1), longestDelaySeconds);
}

/**
 * Sends a webhook its requested messages, and then the sealed events after its cursor, in the order of the chain, until none is
 * left, an attempt fails, or it is disabled. Each attempt commits together with the move of the cursor: a node that crashes in
 * between sends that message again, with the same id.
 */
export async function deliverTo(deps: DeliveryDeps, lease: Lease, held: Cursor): Promise<void> {
  await sendRequested(deps, lease);
  let cursor: Cursor | undefined = held;
  while (cursor && !isWaiting(cursor, deps.now())) {
    const segments = await sealedAfter(deps.db, cursor.segment);
    if (segments.length === 0) return;
    for (const sealed of segments) cursor = cursor && (await sendSegment(deps, lease, sealed, cursor));
    if (!cursor || !(await saveCursor(deps.db, lease, cursor, deps.now()))) return;
  }
}

/** @returns the cursor behind the segment; undefined if sending must stop */
async function sendSegment(
  deps: DeliveryDeps,
  lease: Lease,
  sealed: SealedSegment,
  held: Cursor,
): Promise<Cursor | undefined> {
  const { number } = sealed.segment;
  // Retention may have removed the segments before this one.
  let cursor: Cursor = number === held.segment + 1 ? held : { ...held, segment: number - 1, ordinal: 0 };
  const { ordinal: begun } = cursor;
  for (const message of messagesOf(sealed).filter(({ ordinal }) => ordinal >= begun)) {
    const webhook = await findWebhook(deps.db, lease.name);
    if (!webhook?.enabled || deps.closing.aborted) return undefined;
    if (!isWanted(webhook.events, message.type)) continue;
    const next = await sendNext(deps, lease, { webhook, message, cursor: { ...cursor, ordinal: message.ordinal } });
    if (!next) return undefined;
    cursor = next;
  }
  return { segment: number, ordinal: 0, attempts: 0, next_attempt_at: null };
}

function isWaiting({ next_attempt_at }: Cursor, now: Date): boolean {
  return next_attempt_at !== null && next_attempt_at > now;
}

type Next = { webhook: Webhook; message: PlacedMessage; cursor: Cursor };

/** @returns the cursor after the message; undefined if sending must stop */
async function sendNext(
  deps: DeliveryDeps,
  lease: Lease,
  { webhook, message, cursor }: Next,
): Promise<Cursor | undefined> {
  const outcome = await send(deps, webhook, message);
  const attempts = cursor.attempts + 1;
  const state = stateAfter(outcome, attempts >= webhook.most_attempts && outcome.last_status !== gone);
  const past = { ...cursor, ordinal: message.ordinal + 1, attempts: 0, next_attempt_at: null };
  const delay = delayAfter(attempts);
  const again = { ...cursor, attempts, next_attempt_at: new Date(deps.now().getTime() + delay * 1000) };
  const after = state === 'retrying' ? again : past;
  const isHeld = await inTransaction(deps.db, async (trx) => {
    if (!(await saveCursor(trx, lease, after, deps.now()))) return false;
    await note(trx, deps, webhook, { ...message, message_id: message.id }, { state, ...outcome });
    if (outcome.last_status === gone) await disableGone(trx, deps, webhook);
    else if (state === 'retrying') await deps.jobs.send(trx, 'webhook-retry', { name: lease.name }, delay);
    return true;
  });
  return isHeld && state !== 'retrying' ? past : undefined;
}

function stateAfter({ last_status }: Outcome, isLast: boolean): DeliveryState {
  if (last_status !== null && last_status >= 200 && last_status < 300) return 'delivered';
  return isLast ? 'dead' : 'retrying';
}

/** Sends requested messages (tests and redeliveries) once, independent of the order of the log. */
async function sendRequested(deps: DeliveryDeps, lease: Lease): Promise<void> {
  for (;;) {
    const [webhook, delivery] = [await findWebhook(deps.db, lease.name), await nextRequested(deps.db, lease.name)];
    if (!webhook?.enabled || !delivery || deps.closing.aborted) return;
    const message = await messageOf(deps.db, delivery);
    const removed = { last_status: null, last_error: 'it was removed from the audit log' };
    const outcome = message ? await send(deps, webhook, message) : removed;
    const state = stateAfter(outcome, true);
    await inTransaction(deps.db, async (trx) => {
      await note(trx, deps, webhook, delivery, { state, ...outcome });
      if (outcome.last_status === gone) await disableGone(trx, deps, webhook);
    });
  }
}

async function messageOf(
  db: Db,
  { message_id, webhook_id, type, segment, created_at }: Delivery,
): Promise<Message | undefined> {
  if (type === testType) return { id: message_id, type, timestamp: created_at, data: { webhook_id } };
  const [sealed] = await sealedAfter(db, Number(segment) - 1);
  return sealed && messagesOf(sealed).find(({ id }) => id === message_id);
}

async function send({ db, keys, now, post }: DeliveryDeps, { id, url }: Webhook, message: Message): Promise<Outcome> {
  const sent_at = now();
  const body = textOf(message);
  const headers = await signedHeaders(keys, await liveSecrets(db, id, sent_at), { id: message.id, sent_at, body });
  try {
    return { last_status: await post({ url, headers, body }), last_error: null };
  } catch (error) {
    // Any network error is retried, and shown with the delivery.
    return { last_status: null, last_error: reasonOf(error) };
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  if (error.name === 'TimeoutError' || error.name === 'AbortError') return 'no answer in time';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message.slice(0, 200);
}

type Noted = Pick<Delivery, 'message_id' | 'type'> & { segment: number | string | null; ordinal: number | null };

async function note(
  trx: Trx,
  { now }: DeliveryDeps,
  webhook: Webhook,
  { message_id, type, segment, ordinal }: Noted,
  attempted: Outcome & { state: DeliveryState },
): Promise<void> {
  const place = { segment: segment === null ? null : String(segment), ordinal };
  const row = { id: uuidv7(), webhook_id: webhook.id, message_id, type, ...place };
  await noteAttempt(trx, row, { ...attempted, updated_at: now() });
}

/** The receiver answered 410 Gone (Standard Webhooks). The cursor is kept, so that no message is lost if that was a mistake. */
async function disableGone(trx: Trx, { now }: DeliveryDeps, { id, url }: Webhook): Promise<void> {
  const occurred_at = now();
  await updateWebhook(trx, id, { enabled: false, disabled_because: 'gone', updated_at: occurred_at });
  const details = { host: new URL(url).host };
  const target = { kind: 'webhook', id };
  await appendEvent(trx, { actor: system, action: 'webhook.disabled', target, reason: 'gone', details, occurred_at });
}
