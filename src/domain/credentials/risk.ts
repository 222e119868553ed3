import { z } from 'zod';

/** What the loss of a credential would mean. It decides how long the credential lasts. */
export const Risk = z.enum(['high', 'medium', 'low']);
export type Risk = z.output<typeof Risk>;

/**
 * How long a credential lasts where no expiry is given, and after how long it is due for rotation; in days. The database knows them,
 * too (`rotation_due_at`).
 */
export const riskDays: Readonly<Record<Risk, number>> = { high: 30, medium: 90, low: 180 };

export const dayMs = 86_400_000;

/** When a credential expires that is issued now and of which nothing but the risk is known. */
export function expiryByRisk(risk: Risk, now: Date): Date {
  return new Date(now.getTime() + riskDays[risk] * dayMs);
}
