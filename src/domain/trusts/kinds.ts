import type { TrustKind } from '../../../db/schema.ts';

export const kinds = ['workload', 'id_jag', 'login'] as const satisfies readonly TrustKind[];

type AssertionRules = {
  /**
   * The accepted types of JWTs. Each kind that is not a plain assertion, such as an access token, has its own type (RFC 8725 §3.11).
   */
  types: readonly unknown[];
  inWords: string;
  /** A `jti` is stored until its token expires. */
  longestOneTimeSeconds: number;
};

/** How the tokens of each kind of trust are judged; null: users sign in, and none is accepted. */
const assertionRules: Readonly<Record<TrustKind, AssertionRules | null>> = {
  workload: { types: [undefined, 'jwt', 'jose'], inWords: '"JWT" or missing', longestOneTimeSeconds: 24 * 3600 },
  id_jag: { types: ['oauth-id-jag+jwt'], inWords: '"oauth-id-jag+jwt"', longestOneTimeSeconds: 3600 },
  login: null,
};

/** How the tokens of a trust are judged; null: it accepts none, or only a newer version knows how. */
export function assertionRulesOf(kind: string): AssertionRules | null {
  const known = kinds.find((each) => each === kind);
  return known ? assertionRules[known] : null;
}

/** The kinds of trusts that accept tokens. */
export const assertingKinds: readonly TrustKind[] = kinds.filter((kind) => assertionRules[kind] !== null);
