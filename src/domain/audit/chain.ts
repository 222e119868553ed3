import { hash, type KeyObject, sign, verify } from 'node:crypto';

/** An event as the chain contains it: texts exactly as PostgreSQL stores them, times to the microsecond. */
export type ChainEvent = {
  id: string;
  /** The number of the transaction that recorded it. */
  recorded_in: number;
  occurred_at: string;
  actor_kind: string;
  actor_id: string | null;
  action: string;
  target_kind: string | null;
  target_id: string | null;
  outcome: string;
  reason: string | null;
  request_id: string | null;
  details: string | null;
  personal_digest: string | null;
};

/** A position in the chain: the head proves all events before it, and covers every event that was visible then. */
export type Checkpoint = {
  number: number;
  /** SHA-256 in hex. */
  head: string;
  /** All transactions below had ended when the snapshot was taken, except the unfinished ones. */
  seen_below: number;
  unfinished: number[];
  /** By the database's clock. */
  sealed_at: Date;
};

export type Member = { id: string; digest: string };

/** Events linked after a head, and signed. */
export type Segment = Checkpoint & {
  previous_head: string;
  members: Member[];
  /** Whether it is the last segment of its snapshot. */
  is_complete: boolean;
  kid: string;
  signature: string;
};

/** Where every chain begins. */
export const genesis: Checkpoint = {
  number: 0,
  head: '0'.repeat(64),
  seen_below: 0,
  unfinished: [],
  sealed_at: new Date(0),
};

/** The digest of all members of an event. */
export function eventDigest(event: ChainEvent): string {
  return sha256(
    JSON.stringify([
      'latchkey audit event 1',
      event.id,
      event.recorded_in,
      event.occurred_at,
      event.actor_kind,
      event.actor_id,
      event.action,
      event.target_kind,
      event.target_id,
      event.outcome,
      event.reason,
      event.request_id,
      event.details,
      event.personal_digest,
    ]),
  );
}

/** Links events after a head, each to the one before it. */
function linked(previous_head: string, members: readonly Member[]): string {
  let link = Buffer.from(previous_head, 'hex');
  for (const { digest } of members) {
    link = hash('sha256', Buffer.concat([link, Buffer.from(digest, 'hex')]), 'buffer');
  }
  return link.toString('hex');
}

/** The text that is signed, and whose digest is the segment's head. */
export function segmentText(segment: Omit<Segment, 'head' | 'signature'>): string {
  const { number, previous_head, members, seen_below, unfinished, is_complete, sealed_at, kid } = segment;
  return JSON.stringify([
    'latchkey audit segment 1',
    number,
    previous_head,
    members.length,
    linked(previous_head, members),
    seen_below,
    unfinished,
    is_complete,
    sealed_at.toISOString(),
    kid,
  ]);
}

/** The record that replaces removed segments. */
export type Retention = Checkpoint & { removed_at: Date; kid: string; signature: string };

export function retentionText(retention: Omit<Retention, 'signature'>): string {
  const { number, head, seen_below, unfinished, sealed_at, removed_at, kid } = retention;
  const times = [sealed_at.toISOString(), removed_at.toISOString()];
  return JSON.stringify(['latchkey audit retention 1', number, head, seen_below, unfinished, ...times, kid]);
}

/** Ed25519, base64url. */
export function signText(key: KeyObject, text: string): string {
  return sign(null, Buffer.from(text), key).toString('base64url');
}

export function isSigned(key: KeyObject, text: string, signature: string): boolean {
  return verify(null, Buffer.from(text), key, Buffer.from(signature, 'base64url'));
}

export function sha256(text: string): string {
  return hash('sha256', text, 'hex');
}

/** Whether an event was not yet visible where the chain stood. */
export function isAfter({ seen_below, unfinished }: Checkpoint, recorded_in: number): boolean {
  return recorded_in >= seen_below || unfinished.includes(recorded_in);
}
