import type Provider from 'oidc-provider';
import type { AuditAction } from '../../../../domain/audit/index.ts';
import type { TokenSource } from '../../unit-of-work/index.ts';
import type { PresentedAssertionDeps } from './presented-assertion.ts';
import type { PresentedKeyDeps } from './presented-key.ts';

/** What handlers of our own grant types need. */
export type GrantDeps = PresentedKeyDeps & PresentedAssertionDeps;

/**
 * What the database decided. `won` and `grace` were written; `reuse` and `used` ended the family; `busy` wrote nothing and
 * may be tried again; `stale`: the client is not as the node knew it when it authenticated; the rest wrote nothing.
 */
export type Verdict = 'won' | 'grace' | 'reuse' | 'used' | 'exhausted' | 'revoked' | 'stale' | 'busy';

/** How a verdict is recorded in the audit log. */
export type Recorded = { action: AuditAction; reason?: string };

/**
 * One grant type: what the commit reads of it, how it judges, what it writes and what it records. SQL texts see the unit as `u` where
 * they are read (`$2` is the time), and the columns of `facts` by name where they judge.
 */
export type GrantType = {
  /** `grant_type` of the token request (RFC 6749 §4). Of two with the same name the first is meant until its assertion was judged. */
  name: string;
  /** Its word in units and in audit events. */
  source: string;
  /** The subject of the token; the scopes of OpenID Connect apply only to a user who signed in. `identity`: a user whom an issuer vouches for. */
  onBehalfOf: 'person' | 'client' | 'api_key' | 'identity';
  /** Members of the unit that only this one has, each with its type. */
  unit?: Readonly<Record<string, string>>;
  /**
   * The row that was presented, as a join of its `standing_*` view; and the columns of it that the verdict and the writes use. It is
   * looked up for each unit (`lateral`, `limit`): a plain join of a view is planned as a scan of all that stand. Where the unit changes
   * that row, `changes` finds it in its table; all that others may change of it, and that the verdict uses, is among the columns.
   */
  presented?: { join: string; columns: readonly string[]; changes?: string };
  /** Whether what was presented stands, its use aside; undefined: always. */
  lives?: string;
  /** The verdict on a unit that lives and is held; undefined: it won. */
  verdict?: string;
  /** Columns of the access token that hold epochs of what was presented, each with the column of `facts` it is taken from. */
  epochs?: Readonly<Record<string, string>>;
  /** Whether a refresh family begins with it. */
  beginsFamily?: boolean;
  /** Further statements over `judged` as `j`, each under its name. */
  writes?: Readonly<Record<string, string>>;
  recorded: Readonly<{ won: Recorded } & Partial<Record<Verdict, Recorded>>>;
  /** Who acted, where it was not the client. */
  actor?: (source: TokenSource) => { kind: 'api_key'; id: string };
  /** The error for the request that lost a race (RFC 6749 §5.2); undefined: `invalid_grant`. */
  refusal?: { error: string; error_description: string };
  /** Adds a grant type that the library lacks. */
  register?: (provider: Provider, deps: GrantDeps) => void;
};
