/** An event that the restored database lacks. */
export type LaterEvent = {
  id: string;
  occurred_at: string;
  action: string;
  target_kind: string | null;
  target_id: string | null;
  outcome: string;
  details: Record<string, unknown>;
  /** Whether a signed seal proves it. */
  is_proved: boolean;
};

/** A detail as text; empty if it is none. */
export const text = (value: unknown): string => (typeof value === 'string' ? value : '');
/** A detail as texts. */
export const texts = (value: unknown): string[] => (Array.isArray(value) ? value.map(text).filter(Boolean) : []);
/** The id of the event's target. */
export const idOf = ({ target_id }: LaterEvent): string => target_id ?? '';
const instant = (value: unknown, otherwise: Date): Date => {
  const time = new Date(text(value));
  return Number.isNaN(time.getTime()) ? otherwise : time;
};
/** When the previous version stops working. Older versions of Latchkey wrote other names. */
export const overlapEnd = ({ details }: LaterEvent, now: Date): Date =>
  instant(details.previous_expires_at ?? details.previous_ends_at ?? details.previous_end_at, now);
/** Whether a change disabled it. */
export const isNowDisabled = ({ details }: LaterEvent): boolean => {
  const changed = details.changed as { enabled?: { new?: unknown } } | string[] | undefined;
  if (Array.isArray(changed)) return changed.includes('enabled') && details.enabled === false;
  return changed?.enabled?.new === false;
};
