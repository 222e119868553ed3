import { idAt } from '../../platform/crypto/index.ts';
import type { Trx } from '../../platform/database/index.ts';
import type { Actor } from '../../platform/http/index.ts';
import type { AuditAction } from './actions.ts';
import { personalDetails, personalDigest } from './personal-details.ts';
import { type AuditRows, insertEvent } from './store.ts';

/** One action. `details` never holds a secret, token, code or password. */
export type AuditEvent = {
  actor: Actor;
  action: AuditAction;
  target?: { kind: string; id: string };
  outcome?: 'success' | 'failure';
  reason?: string;
  details?: Record<string, unknown>;
  occurred_at: Date;
};

/** Records an action in its own transaction: both commit, or neither (promise 3). */
export async function appendEvent(trx: Trx, event: AuditEvent): Promise<void> {
  await insertEvent(trx, auditRows(event));
}

/** The event as rows, for statements that insert them together with the state change. */
export function auditRows({ actor, action, target, outcome, reason, details, occurred_at }: AuditEvent): AuditRows {
  const personal_details = personalDetails(actor.origin);
  const row = {
    // Events are found by the time in their id.
    id: idAt(occurred_at),
    occurred_at,
    actor_kind: actor.kind,
    actor_id: storable(actor.id),
    action,
    target_kind: target?.kind ?? null,
    target_id: storable(target?.id),
    outcome: outcome ?? ('success' as const),
    reason: storable(reason),
    request_id: actor.origin.request_id ?? null,
    details: details ? JSON.stringify(details) : null,
    personal_digest: personal_details && personalDigest(personal_details),
  };
  return { row, personal_details };
}

/** Replaces NUL characters, which PostgreSQL's `text` cannot store. */
function storable(text: string | undefined): string | null {
  return text?.replaceAll('\0', '\\u0000') ?? null;
}
