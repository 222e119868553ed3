import type { Origin } from './incoming-request.ts';

/** Who does something: a person, a client, an API key, nobody known yet, or the machine's own operator (CLI, start-up). */
export type Actor = {
  kind: 'user' | 'client' | 'api_key' | 'anonymous' | 'system';
  id?: string | undefined;
  /** The id in `subjects`, to which roles are given: a person's own id, a client's UUID. */
  subject_id?: string | undefined;
  /** Permission patterns this actor holds (DESIGN.md §7). */
  permissions: readonly string[];
  /**
   * What it acts by, where that is narrower than its subject: the rights of a token, of an API key. It gives nothing away that
   * one of them does not contain. Absent for a person in their own browser session and for the operator at the machine.
   */
  limits?: readonly (readonly { resource: string | null; pattern: string }[])[];
  origin: Origin;
};

/** The operator at the machine itself, and what the server does on its own. */
export const system: Actor = { kind: 'system', permissions: ['latchkey:*', 'secrets:*', '*'], origin: {} };

/** A person acting for themselves: holds nothing beyond what is their own. */
export function person(user_id: string, origin: Origin): Actor & { id: string } {
  return { kind: 'user', id: user_id, subject_id: user_id, permissions: [], origin };
}

/** Nobody we know yet. */
export function anonymous(origin: Origin): Actor {
  return { kind: 'anonymous', permissions: [], origin };
}
