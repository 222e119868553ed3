import { type Insertable, type Selectable, sql, type Updateable } from 'kysely';
import type { Database, DeliveryState } from '../../../db/schema.ts';
import type { Db, Trx } from '../../platform/database/index.ts';
import type { Page } from '../../platform/http/index.ts';
import { type ListOrders, type ListRequest, pageOfQuery } from '../../platform/lists/index.ts';

export type Webhook = Selectable<Database['webhooks']>;
export type WebhookSecret = Selectable<Database['webhook_secrets']>;
export type Delivery = Selectable<Database['webhook_deliveries']>;

export async function findWebhook(db: Db, id: string): Promise<Webhook | undefined> {
  return db.selectFrom('webhooks').selectAll().where('id', '=', id).executeTakeFirst();
}

export async function lockWebhook(trx: Trx, id: string): Promise<Webhook | undefined> {
  return trx.selectFrom('webhooks').selectAll().where('id', '=', id).forUpdate().executeTakeFirst();
}

// UUIDv7 ids grow with time. There are a hundred webhooks at most: sorting them by address needs no index.
const webhookOrders: ListOrders = {
  key: { by: sql`webhooks.id`, type: 'uuid' },
  orders: { url: { by: sql`url collate "C"`, type: 'text' }, created_at: 'key' },
};

export function listWebhooks(
  db: Db,
  { enabled, ...request }: ListRequest & { enabled?: boolean | undefined },
): Promise<Page<Webhook>> {
  const found = db
    .selectFrom('webhooks')
    .selectAll()
    .$if(enabled !== undefined, (query) => query.where('enabled', '=', enabled ?? true));
  return pageOfQuery(db, found, webhookOrders, request);
}

/** There are a hundred at most. */
export async function listEveryWebhook(db: Db): Promise<Webhook[]> {
  return db.selectFrom('webhooks').selectAll().orderBy('id').execute();
}

export async function insertWebhook(trx: Trx, webhook: Insertable<Database['webhooks']>): Promise<Webhook> {
  return trx.insertInto('webhooks').values(webhook).returningAll().executeTakeFirstOrThrow();
}

export async function updateWebhook(trx: Trx, id: string, changes: Updateable<Database['webhooks']>): Promise<Webhook> {
  return trx
    .updateTable('webhooks')
    .set((eb) => ({ ...changes, version: eb('version', '+', 1) }))
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow();
}

export async function deleteWebhook(trx: Trx, id: string): Promise<void> {
  await trx.deleteFrom('webhooks').where('id', '=', id).execute();
}

export async function insertSecret(trx: Trx, secret: Insertable<Database['webhook_secrets']>): Promise<void> {
  await trx.insertInto('webhook_secrets').values(secret).execute();
}

/** Secrets that sign now, newest first. */
export async function liveSecrets(db: Db, webhook_id: string, now: Date): Promise<WebhookSecret[]> {
  return db
    .selectFrom('webhook_secrets')
    .selectAll()
    .where('webhook_id', '=', webhook_id)
    .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', now)]))
    .orderBy('id', 'desc')
    .execute();
}

/** Sets the expiry of secrets, unless they expire earlier. */
export async function expireSecretsAt(trx: Trx, webhook_id: string, expires_at: Date): Promise<void> {
  await trx
    .updateTable('webhook_secrets')
    .set({ expires_at })
    .where('webhook_id', '=', webhook_id)
    .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', expires_at)]))
    .execute();
}

const deliveryOrders: ListOrders = {
  key: { by: sql`webhook_deliveries.id`, type: 'uuid' },
  orders: { created_at: 'key' },
};

export function listDeliveries(
  db: Db,
  webhook_id: string,
  { state, ...request }: ListRequest & { state: DeliveryState | undefined },
): Promise<Page<Delivery>> {
  const found = db
    .selectFrom('webhook_deliveries')
    .selectAll()
    .where('webhook_id', '=', webhook_id)
    .$if(state !== undefined, (query) => query.where('state', '=', state ?? 'dead'));
  return pageOfQuery(db, found, deliveryOrders, request);
}

export async function insertDelivery(
  trx: Trx,
  delivery: Insertable<Database['webhook_deliveries']>,
): Promise<Delivery> {
  return trx.insertInto('webhook_deliveries').values(delivery).returningAll().executeTakeFirstOrThrow();
}

export type Attempted = Pick<Delivery, 'state' | 'last_status' | 'last_error' | 'updated_at'>;

/** Records an attempt to send a message; the first one inserts its row. */
export async function noteAttempt(
  trx: Trx,
  message: Pick<Delivery, 'id' | 'webhook_id' | 'message_id' | 'type' | 'segment' | 'ordinal'>,
  attempted: Attempted,
): Promise<void> {
  await trx
    .insertInto('webhook_deliveries')
    .values({ ...message, ...attempted, attempts: 1, created_at: attempted.updated_at })
    .onConflict((conflict) =>
      conflict
        .columns(['webhook_id', 'message_id'])
        .doUpdateSet((eb) => ({ ...attempted, attempts: eb('webhook_deliveries.attempts', '+', 1) })),
    )
    .execute();
}

/** The oldest requested delivery. */
export async function nextRequested(db: Db, webhook_id: string): Promise<Delivery | undefined> {
  return db
    .selectFrom('webhook_deliveries')
    .selectAll()
    .where('webhook_id', '=', webhook_id)
    .where('state', '=', 'requested')
    .orderBy('id')
    .limit(1)
    .executeTakeFirst();
}

/** Requests one delivery again, or all dead ones. @returns how many */
export async function requestDeliveries(
  trx: Trx,
  webhook_id: string,
  { id, updated_at }: { id: string | undefined; updated_at: Date },
): Promise<number> {
  const { numUpdatedRows } = await trx
    .updateTable('webhook_deliveries')
    .set({ state: 'requested', updated_at })
    .where('webhook_id', '=', webhook_id)
    .where('state', 'in', id === undefined ? ['dead'] : ['dead', 'delivered', 'requested'])
    .$if(id !== undefined, (query) => query.where('id', '=', id ?? ''))
    .executeTakeFirst();
  return Number(numUpdatedRows);
}

/** A webhook that was disabled because it failed, or that had failed deliveries in the last seven days. */
export type FailingWebhook = Pick<Webhook, 'id' | 'url' | 'description' | 'disabled_because'> & {
  /** A thousand at most. */
  failed: number;
  since: Date | null;
  last_status: number | null;
  last_error: string | null;
};

export async function listFailingWebhooks(db: Db): Promise<FailingWebhook[]> {
  const failed = sql`webhook_deliveries d where d.webhook_id = w.id and d.state in ('retrying', 'dead')
    and d.updated_at > (select latchkey_now() - interval '7 days')`;
  const { rows } = await sql<FailingWebhook>`
    select w.id, w.url, w.description, w.disabled_because, f.failed, f.since, l.last_status, l.last_error
      from webhooks w
        cross join lateral (select count(*)::int as failed, min(updated_at) as since
          from (select d.updated_at from ${failed} limit 1000) d) f
        left join lateral (select d.last_status, d.last_error from ${failed} order by d.updated_at desc limit 1) l on true
      where f.failed > 0 or (not w.enabled and w.disabled_because is not null)
      order by f.failed desc, w.id`.execute(db);
  return rows;
}
