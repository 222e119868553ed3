import { v7 as uuidv7 } from 'uuid';
import type { Trx } from '../platform/database/index.ts';
import type { Actor } from '../platform/http/index.ts';
import { insertEvent } from './store.ts';

/** One deed. `details` never holds a secret, token, code or password. */
export type AuditEvent = {
  actor: Actor;
  /** `noun.verb` in the past tense: `client.created`. */
  action: string;
  target?: { kind: string; id: string };
  outcome?: 'success' | 'failure';
  reason?: string;
  details?: Record<string, unknown>;
  occurred_at: Date;
};

export type AuditRow = {
  id: string;
  occurred_at: Date;
  actor_kind: string;
  actor_id: string | null;
  action: string;
  target_kind: string | null;
  target_id: string | null;
  outcome: 'success' | 'failure';
  reason: string | null;
  address: string | null;
  user_agent: string | null;
  request_id: string | null;
  details: string | null;
};

/** Records a deed in the transaction that does it: both commit, or neither (promise 3). */
export async function appendEvent(trx: Trx, event: AuditEvent): Promise<void> {
  await insertEvent(trx, auditRow(event));
}

/** The event as a row, for statements that insert it beside the effect. */
export function auditRow({ actor, action, target, outcome, reason, details, occurred_at }: AuditEvent): AuditRow {
  return {
    id: uuidv7(),
    occurred_at,
    actor_kind: actor.kind,
    actor_id: actor.id ?? null,
    action,
    target_kind: target?.kind ?? null,
    target_id: target?.id ?? null,
    outcome: outcome ?? 'success',
    reason: reason ?? null,
    address: actor.origin.address ?? null,
    user_agent: actor.origin.user_agent ?? null,
    request_id: actor.origin.request_id ?? null,
    details: details ? JSON.stringify(details) : null,
  };
}
