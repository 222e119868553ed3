import type { Origin } from './incoming-request.ts';

/** A permission pattern at one resource server, or at every one (`null`). */
type Right = { resource: string | null; pattern: string };

/** The limits of a credential (an access token or API key) on the actions of its holder. */
export type Limit = {
  /** What sets it, in words: `the access token`, `the API key "deploy"`. */
  by: string;
  /** Only these are used or granted. */
  rights: readonly Right[];
  /**
   * How long a granted permission may last: until the expiry of an API key; null: no limit. An access token sets none: its client can get
   * another.
   */
  until: Date | null;
  /** The restrictions of an API key, by their kinds. What it grants has at least these. */
  restrictions: Readonly<Record<string, unknown>>;
  /** Those of the restrictions that `rights` cannot express: nothing is granted that cannot have them. */
  conditions: readonly string[];
  /** Whether an access token for the admin API sets it: it does not limit permissions at other APIs. */
  isOfAdminToken?: true;
};

/**
 * On whose behalf an action is performed, and what limits it. Effective are held ∩ every limit ∩ requested (DESIGN.md §3). No limits: a
 * user in their own browser session. No subject: nothing is held.
 */
export type Authority =
  | {
      /** The id in `subjects`, to which roles are given: a person's own id, a client's UUID. */
      subject_id: string;
      limits: readonly Limit[];
    }
  | { subject_id?: undefined; limits?: undefined };

/** Who performs an action: a user, a client, an API key, an unauthenticated caller, or the operator of the machine (CLI, start-up). */
export type Actor = Authority & {
  kind: 'user' | 'client' | 'api_key' | 'anonymous' | 'system';
  id?: string | undefined;
  /** Permission patterns that are effective at the admin API (DESIGN.md §7). */
  permissions: readonly string[];
  origin: Origin;
};

/** The operator on the machine itself, and automatic actions of the server. */
export const system: Actor = { kind: 'system', permissions: ['latchkey:*', 'secrets:*', '*'], origin: {} };

/** A user acting for themselves: holds no permission beyond their own account. */
export function person(user_id: string, origin: Origin): Actor & { id: string } {
  return { kind: 'user', id: user_id, subject_id: user_id, limits: [], permissions: [], origin };
}

/** An unauthenticated caller. */
export function anonymous(origin: Origin): Actor {
  return { kind: 'anonymous', permissions: [], origin };
}
