/** Credentials: what all kinds of them have in common. */
export { dayMs, expiryByRisk, Risk, riskDays } from './risk.ts';
