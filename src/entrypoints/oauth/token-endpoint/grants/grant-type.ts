import type Provider from 'oidc-provider';
import type { AuditAction } from '../../../../domain/audit/index.ts';
import type { TokenSource } from '../../unit-of-work/index.ts';
import type { PresentedAssertionDeps } from './presented-assertion.ts';
import type { PresentedKeyDeps } from './presented-key.ts';

/** The dependencies of our own grant types. */
export type GrantDeps = PresentedKeyDeps & PresentedAssertionDeps;

/**
 * The database's decision. `won` and `grace` were written; `reuse` and `used` revoked the family; `busy` wrote nothing and may be retried;
 * `stale`: the client has changed since the node authenticated it; the others wrote nothing.
 */
export type Verdict = 'won' | 'grace' | 'reuse' | 'used' | 'exhausted' | 'revoked' | 'stale' | 'busy';

/** How a verdict is recorded in the audit log. */
export type Recorded = { action: AuditAction; reason?: string };

/**
 * One grant type: what the commit reads of it, how it judges, what it writes and what it records. In SQL texts the unit is `u` for reads
 * (`$2` is the time); judgements use the columns of `facts` by name.
 */
export type GrantType = {
  /** `grant_type` of the token request (RFC 6749 §4). Of two with the same name the first is used until its assertion was judged. */
  name: string;
  /** Its name in units and in audit events. */
  source: string;
  /** The subject of the token; OpenID Connect scopes apply only to a user who signed in. `identity`: a user asserted by an issuer. */
  onBehalfOf: 'person' | 'client' | 'api_key' | 'identity';
  /** Members of the unit that only this grant type has, each with its type. */
  unit?: Readonly<Record<string, string>>;
  /**
   * The presented row, as a join of its `standing_*` view; and its columns that the verdict and the writes use. It is looked up for each
   * unit (`lateral`, `limit`): a plain join of a view is planned as a scan of all active rows. If the unit changes that row, `changes`
   * finds it in its table; all that others may change of it, and that the verdict uses, is among the columns.
   */
  presented?: { join: string; columns: readonly string[]; changes?: string };
  /** Whether the presented credential is active, its use aside; undefined: always. */
  lives?: string;
  /** The verdict on a unit that is active and locked; undefined: it won. */
  verdict?: string;
  /** Columns of the access token with epochs of the presented row, each with the column of `facts` it is taken from. */
  epochs?: Readonly<Record<string, string>>;
  /** Whether it starts a refresh family. */
  beginsFamily?: boolean;
  /** Further statements over `judged` as `j`, each under its name. */
  writes?: Readonly<Record<string, string>>;
  recorded: Readonly<{ won: Recorded } & Partial<Record<Verdict, Recorded>>>;
  /** The actor, if it is not the client. */
  actor?: (source: TokenSource) => { kind: 'api_key'; id: string };
  /** The error for the request that lost a race (RFC 6749 §5.2); undefined: `invalid_grant`. */
  refusal?: { error: string; error_description: string };
  /** Adds a grant type that the library lacks. */
  register?: (provider: Provider, deps: GrantDeps) => void;
};
