import { z } from 'zod';

/** The damage if a credential leaks. It decides how long the credential lasts. */
export const Risk = z.enum(['high', 'medium', 'low']);
export type Risk = z.output<typeof Risk>;

/**
 * The default lifetime of a credential, and the time until it is due for rotation; in days. The database has the same numbers
 * (`rotation_due_at`).
 */
export const riskDays: Readonly<Record<Risk, number>> = { high: 30, medium: 90, low: 180 };

export const dayMs = 86_400_000;

/** The default expiry of a credential that is issued now, by its risk. */
export function expiryByRisk(risk: Risk, now: Date): Date {
  return new Date(now.getTime() + riskDays[risk] * dayMs);
}
