import type { JWTPayload } from 'jose';
import type { ClaimCondition } from '../../../db/schema.ts';
import { isJsonObject, pathAt } from '../../platform/http/index.ts';

/** The value of a claim, or of a member inside one by a JSON pointer (RFC 6901); undefined: it is missing. */
function claimAt(payload: JWTPayload, claim: string): unknown {
  const path = claim.startsWith('/') ? pathAt(claim) : [claim];
  return path.reduce<unknown>(
    (value, name) => (isJsonObject(value) && Object.hasOwn(value, name) ? value[name] : undefined),
    payload,
  );
}

/**
 * Whether a text is the prefix, or continues where a segment of the prefix ends: `repo:acme/api` begins `repo:acme/api:ref:…`, but not
 * `repo:acme/api-of-another:ref:…`.
 */
function beginsWithSegments(text: string, prefix: string): boolean {
  if (!text.startsWith(prefix)) return false;
  return text.length === prefix.length || /[:/]$/.test(prefix) || /^[:/]/.test(text.slice(prefix.length));
}

/** Whether the claims meet a condition. A list never does: it is unknown which of its members counts. */
export function meets(payload: JWTPayload, condition: ClaimCondition): boolean {
  return isMet(claimAt(payload, condition.claim), condition);
}

const members = ['claim', 'equals', 'one_of', 'prefix', 'role', 'role_id'];

/** Whether this version knows it: one that a newer version wrote, while nodes of both run, is met by no token here. */
export const isKnownCondition = (condition: ClaimCondition): boolean =>
  Object.keys(condition).every((member) => members.includes(member));

function isMet(value: unknown, condition: ClaimCondition): boolean {
  if (!isKnownCondition(condition) || !['string', 'number', 'boolean'].includes(typeof value)) return false;
  const text = String(value);
  if ('equals' in condition) return text === condition.equals;
  if ('one_of' in condition) return condition.one_of.includes(text);
  return beginsWithSegments(text, condition.prefix);
}

/** Whether the claims meet a condition; one matching member of a list is enough. */
export function meetsAny(payload: JWTPayload, condition: ClaimCondition): boolean {
  const value = claimAt(payload, condition.claim);
  return [value].flat().some((each) => isMet(each, condition));
}

/** The claim of the first condition that is not met. */
export function unmetCondition(payload: JWTPayload, conditions: readonly ClaimCondition[]): string | undefined {
  return conditions.find((condition) => !meets(payload, condition))?.claim;
}

/** The condition and the token's value, for an administrator. */
export function describeCondition(payload: JWTPayload, condition: ClaimCondition): string {
  const value = claimAt(payload, condition.claim);
  const is = value === undefined ? 'is missing' : `is ${JSON.stringify(value)}`;
  return `"${condition.claim}" ${is}; it must ${wantedBy(condition)}.`;
}

/** A condition in words. */
function wantedBy(condition: ClaimCondition): string {
  if (!isKnownCondition(condition)) return 'meet a condition of a newer version of Latchkey';
  if ('equals' in condition) return `be ${JSON.stringify(condition.equals)}`;
  if ('one_of' in condition) return `be one of ${condition.one_of.map((value) => JSON.stringify(value)).join(', ')}`;
  const { prefix } = condition;
  const written = JSON.stringify(prefix);
  return /[:/]$/.test(prefix)
    ? `begin with ${written}`
    : `be ${written}, or begin with it and continue with ":" or "/"`;
}
