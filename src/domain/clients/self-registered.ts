import { isDeepStrictEqual } from 'node:util';
import { v7 as uuidv7 } from 'uuid';
import type { DocumentValidators } from '../../../db/schema.ts';
import { type Db, inTransaction, type Trx } from '../../platform/database/index.ts';
import { type Actor, anonymous, type Origin } from '../../platform/http/index.ts';
import { appendEvent } from '../audit/index.ts';
import { changesOf, signingDefaults } from './registration.ts';
import {
  insertSelfRegistered,
  lockDocument,
  markRecorded,
  markWithdrawn,
  updateSelfRegistered,
} from './self-registered-store.ts';
import { type Client, insertClient, lockClient, updateClient } from './store.ts';

/** The content of a metadata document, how long it is used and kept, and its HTTP validators. */
export type DocumentedClient = {
  client_id: string;
  metadata: Record<string, unknown>;
  fresh_until: Date;
  kept_until: Date;
  validators: DocumentValidators | null;
};

/** A client that registered itself has no rights of its own: it may request the open scopes of APIs. */
export const withoutRights = {
  resources: '{}',
  service_permissions: '{}',
  introspects: '[]',
  lifetimes: '{}',
} as const;

/**
 * Creates or updates the client of a metadata document. A client that an operator registered under the same `client_id` is not changed.
 */
export async function saveDocumentedClient(
  { db, now }: { db: Db; now: () => Date },
  origin: Origin,
  { client_id, metadata: said, fresh_until, kept_until, validators: known }: DocumentedClient,
): Promise<void> {
  const metadata = { ...signingDefaults, ...said };
  const cached = { fresh_until, kept_until, validators: known && JSON.stringify(known) };
  await inTransaction(db, async (trx) => {
    const document = await lockDocument(trx, client_id);
    const client = await lockClient(trx, client_id);
    if (!client) return create(trx, { now, client_id, metadata, cached });
    if (client.registered_by !== 'document' || !document) return;
    const isSame = isDeepStrictEqual(client.metadata, metadata);
    const widened = isWider(client.metadata, metadata) ? { widened_at: now() } : {};
    await updateSelfRegistered(trx, client.id, { ...cached, ...widened });
    if (!isSame) await alter(trx, { now, origin, client, metadata, isRecorded: document.is_recorded });
  });
}

/**
 * Records that the document of a client no longer exists or cannot be used: the client is not accepted until a fetch succeeds again.
 * Repeating it changes and records nothing.
 */
export async function withdrawDocumentedClient(
  { db, now }: { db: Db; now: () => Date },
  origin: Origin,
  { client_id, reason }: { client_id: string; reason: string },
): Promise<void> {
  await inTransaction(db, async (trx) => {
    const document = await lockDocument(trx, client_id);
    if (!(await markWithdrawn(trx, client_id)) || !document?.is_recorded) return;
    await appendEvent(trx, {
      actor: anonymous(origin),
      action: 'client.refused',
      target: { kind: 'client', id: client_id },
      outcome: 'failure',
      reason,
      occurred_at: now(),
    });
  });
}

type Creation = Pick<DocumentedClient, 'client_id' | 'metadata'> & {
  now: () => Date;
  cached: Pick<DocumentedClient, 'fresh_until' | 'kept_until'> & { validators: string | null };
};

/** Anyone can name addresses of documents, so the audit log records a client with the first decision about it (`recordDecidedClient`). */
async function create(trx: Trx, { now, client_id, metadata, cached }: Creation): Promise<void> {
  const created_at = now();
  const { id } = await insertClient(trx, {
    ...{ id: uuidv7(), client_id, type: 'agent', registered_by: 'document', metadata: JSON.stringify(metadata) },
    ...withoutRights,
    ...{ created_at, updated_at: created_at },
  });
  await insertSelfRegistered(trx, { client_id: id, ...cached, is_recorded: false });
}

/**
 * Records the client of a metadata document when the first user allows or denies its request, in the transaction of that decision.
 * Other clients are recorded when they are registered.
 */
export async function recordDecidedClient(
  trx: Trx,
  actor: Actor,
  { client_id, occurred_at }: { client_id: string; occurred_at: Date },
): Promise<void> {
  if (!(await markRecorded(trx, client_id))) return;
  await appendEvent(trx, {
    actor,
    action: 'client.created',
    target: { kind: 'client', id: client_id },
    details: { type: 'agent', enabled: true, registered_by: 'document' },
    occurred_at,
  });
}

type Alteration = Pick<Creation, 'now' | 'metadata'> & { origin: Origin; client: Client; isRecorded: boolean };

async function alter(trx: Trx, { now, origin, client, metadata, isRecorded }: Alteration): Promise<void> {
  const updated_at = now();
  const after = await updateClient(trx, client.id, { metadata: JSON.stringify(metadata), updated_at });
  if (!isRecorded) return;
  const { type, enabled, registered_by, client_id } = after;
  await appendEvent(trx, {
    actor: anonymous(origin),
    action: 'client.updated',
    target: { kind: 'client', id: client_id },
    details: { type, enabled, registered_by, changed: changesOf(client, after) },
    occurred_at: updated_at,
  });
}

/** Whether a description adds a redirect URI, or weakens the authentication of the client. */
function isWider(before: Record<string, unknown>, after: Record<string, unknown>): boolean {
  const known = new Set(Array.isArray(before.redirect_uris) ? before.redirect_uris : []);
  const added = Array.isArray(after.redirect_uris) && after.redirect_uris.some((uri) => !known.has(uri));
  const isWeaker = before.token_endpoint_auth_method !== 'none' && after.token_endpoint_auth_method === 'none';
  return added || isWeaker;
}
