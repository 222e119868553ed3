import { createRemoteJWKSet, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import type { Identity } from './identity.ts';
import { StatusLists } from './status-lists.ts';

export type LocalTokenOptions = { issuer: string; resource: string; now: () => number };

/** The local result for a JWT; `remote`: only the server can judge it, because it is bound to its sender. */
export type LocalVerdict = { kind: 'good'; identity: Identity } | { kind: 'bad'; reason: string } | { kind: 'remote' };

const jwtShape = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;
const toleranceSeconds = 15;

type Claims = JWTPayload & {
  client_id?: string;
  scope?: string;
  cnf?: object;
  acr?: string;
  auth_time?: number;
  status?: { status_list?: { uri?: unknown; idx?: unknown } };
};

/** Verifies JWT access tokens (RFC 9068) with the issuer's published keys and status lists. */
export class LocalTokens {
  readonly #options: LocalTokenOptions;
  readonly #keys: JWTVerifyGetKey;
  readonly #lists: StatusLists;

  constructor(options: LocalTokenOptions) {
    this.#options = options;
    this.#keys = createRemoteJWKSet(new URL(`${options.issuer}/oauth/jwks`), { timeoutDuration: 3000 });
    this.#lists = new StatusLists({ ...options, keys: this.#keys });
  }

  static isOne(token: string): boolean {
    return jwtShape.test(token);
  }

  /** @throws keys or status list cannot be fetched */
  async verdict(token: string): Promise<LocalVerdict> {
    const claims = await this.#claimsOf(token);
    if (typeof claims === 'string') return { kind: 'bad', reason: claims };
    if (claims.cnf !== undefined) return { kind: 'remote' };
    const place = claims.status?.status_list;
    if (typeof place?.uri !== 'string' || typeof place.idx !== 'number') return { kind: 'remote' };
    if (!(await this.#lists.stands({ uri: place.uri, idx: place.idx })))
      return { kind: 'bad', reason: 'The access token was revoked.' };
    return { kind: 'good', identity: identityOf(claims) };
  }

  async #claimsOf(token: string): Promise<Claims | string> {
    const { issuer, resource: audience, now } = this.#options;
    const expected = {
      issuer,
      audience,
      typ: 'at+jwt',
      clockTolerance: toleranceSeconds,
      currentDate: new Date(now()),
    };
    try {
      return (await jwtVerify<Claims>(token, this.#keys, { ...expected, requiredClaims: ['sub', 'exp', 'jti'] }))
        .payload;
    } catch (error) {
      if (error instanceof errors.JWTExpired) return 'The access token has expired.';
      if (error instanceof errors.JWTClaimValidationFailed) return `The access token is not for ${audience}.`;
      if (error instanceof errors.JWKSTimeout || !(error instanceof errors.JOSEError)) throw error;
      if (error.code === 'ERR_JOSE_GENERIC') throw error;
      return 'The access token was not issued by this issuer.';
    }
  }
}

function identityOf({ sub = '', client_id, scope = '', exp, acr, auth_time }: Claims): Identity {
  return {
    subject: sub,
    subject_kind: sub === client_id ? 'client' : 'user',
    client_id,
    credential: 'access_token',
    permissions: scope.split(' ').filter(Boolean),
    expires_at: exp === undefined ? undefined : new Date(exp * 1000),
    acr,
    auth_time,
  };
}
