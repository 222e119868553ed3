import { idAt } from '../../platform/crypto/index.ts';
import { binaryText, type Trx } from '../../platform/database/index.ts';
import type { Actor } from '../../platform/http/index.ts';
import type { AuditAction } from './actions.ts';
import { type PersonalDetails, personalDetails, personalDigest } from './personal-details.ts';
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

/** The members of an event in the rows of a statement that many requests share, each with its type. */
export const eventColumns = {
  event_id: 'uuid',
  actor_kind: 'text',
  actor_id: 'text',
  action: 'text',
  target_kind: 'text',
  target_id: 'text',
  request_id: 'text',
  details: 'json',
  personal_digest: 'bytea',
  salt: 'text',
  address: 'text',
  user_agent: 'text',
};

/** The values of `eventColumns`, for JSON; absent ones are left out. */
export type EventMembers = Pick<
  AuditRows['row'],
  'actor_kind' | 'actor_id' | 'action' | 'target_kind' | 'target_id' | 'request_id'
> &
  Partial<PersonalDetails> & {
    event_id: string;
    details: Record<string, unknown> | undefined;
    personal_digest: string | undefined;
  };

/** The event as members of such a row. The statement gives it its time, outcome and reason. */
export function eventMembers({ details, ...event }: Omit<AuditEvent, 'outcome' | 'reason'>): EventMembers {
  const { row, personal_details } = auditRows(event);
  const { id, actor_kind, actor_id, action, target_kind, target_id, request_id } = row;
  return {
    ...{ event_id: id, actor_kind, actor_id, action, target_kind, target_id, request_id, details },
    ...personal_details,
    personal_digest: binaryText(row.personal_digest),
  };
}

/** Replaces NUL characters, which PostgreSQL's `text` cannot store. */
function storable(text: string | undefined): string | null {
  return text?.replaceAll('\0', '\\u0000') ?? null;
}
