/** An event that the restored database lacks. */
export type LaterEvent = {
  id: string;
  occurred_at: string;
  action: string;
  target_kind: string | null;
  target_id: string | null;
  outcome: string;
  details: Record<string, unknown>;
  /** Whether a signed head proves it. */
  is_proved: boolean;
};
