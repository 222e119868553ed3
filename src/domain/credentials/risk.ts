import { z } from 'zod';

/** What the loss of a credential would mean. It decides how long the credential lasts. */
export const Risk = z.enum(['high', 'medium', 'low']);
export type Risk = z.output<typeof Risk>;

/** How long a credential lasts where no expiry is given, and after how long it is due for rotation; in days. */
export const riskDays: Readonly<Record<Risk, number>> = { high: 30, medium: 90, low: 180 };

export const dayMs = 86_400_000;

/** When a credential expires that is issued now and of which nothing but the risk is known. */
export function expiryByRisk(risk: Risk, now: Date): Date {
  return new Date(now.getTime() + riskDays[risk] * dayMs);
}

type Issued = { risk: string; issued_at: string; expires_at: string };

/**
 * The SQL expression for when a credential is due for rotation: as long after it was issued as its risk allows, and not after its
 * expiry. Null where it has neither. The arguments are SQL expressions, too.
 */
export function dueAt({ risk, issued_at, expires_at }: Issued): string {
  const days = Object.entries(riskDays).map(([name, count]) => `when '${name}' then ${count}`);
  return `least(${issued_at} + make_interval(days => case ${risk} ${days.join(' ')} end), ${expires_at})`;
}
