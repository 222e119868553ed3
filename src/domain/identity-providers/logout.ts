import { anonymous, isJsonObject, type Origin } from '../../platform/http/index.ts';
import { findIdentity } from '../identities/index.ts';
import { revokeProviderSessions, type SessionDeps } from '../sessions/index.ts';
import { type Assertion, readAssertion } from '../trusts/index.ts';
import type { LoginTrust } from './connections.ts';
import { ProviderRefusal } from './refusal.ts';
import type { RoundTripDeps } from './round-trip.ts';
import { signatureProblem } from './signatures.ts';

export type LogoutDeps = SessionDeps & {
  providers: RoundTripDeps;
  /** Stores a `jti` until a time in seconds; false: it was used before. */
  isFirstUse: (issuedBy: string, name: string, until: number) => Promise<boolean>;
};

const event = 'http://schemas.openid.net/event/backchannel-logout';
const oldestSeconds = 10 * 60;
const toleratedSeconds = 30;
const longestId = 512;

/**
 * Revokes the sessions of a user who signed out at the provider (OpenID Connect Back-Channel Logout 1.0 §2.6): all that began with the
 * account, or those of one session there. A logout token is accepted once.
 *
 * @returns how many sessions were revoked
 * @throws ProviderRefusal
 */
export async function logOutByProvider(
  deps: LogoutDeps,
  { trust, logout_token, origin }: { trust: LoginTrust; logout_token: string; origin: Origin },
): Promise<number> {
  const token = readAssertion(logout_token);
  if (!token || trust.login.provider === 'github') throw refused('it is no JWT');
  await mustBeSigned(deps.providers, trust, token);
  const { sub, sid, jti } = judgedClaims(trust, token, Math.floor(deps.now().getTime() / 1000));
  const until = Math.ceil(deps.now().getTime() / 1000) + 2 * oldestSeconds;
  if (!(await deps.isFirstUse(`logout of ${trust.id}`, jti, until))) throw refused('it was used before');
  const identity = sub === undefined ? undefined : await findIdentity(deps.db, { issuer: trust.issuer, subject: sub });
  if (sub !== undefined && !identity) return 0;
  const of = { trust_id: trust.id, identity_id: identity?.id, upstream_sid: sid };
  return revokeProviderSessions(deps, anonymous(origin), of);
}

const refused = (what: string) => new ProviderRefusal('invalid', `logout token: ${what}`);

async function mustBeSigned({ connections, issuerKeys }: RoundTripDeps, trust: LoginTrust, token: Assertion) {
  const { typ } = token.header;
  if (typ !== undefined && !['jwt', 'logout+jwt'].includes(typ.toLowerCase())) throw refused('wrong typ');
  const { jwks_uri } = (await connections.of(trust)).serverMetadata();
  const problem = await signatureProblem(issuerKeys, { issuer: trust.issuer, jwks_uri }, token);
  if (problem?.kind === 'algorithm') throw refused('wrong algorithm');
  if (problem) throw refused('wrong signature');
}

function judgedClaims({ issuer, login }: LoginTrust, { payload }: Assertion, now: number) {
  const { iss, aud, iat, exp, jti, sub, nonce, sid, events } = payload;
  const isRecent = typeof iat === 'number' && iat > now - oldestSeconds && iat < now + toleratedSeconds;
  const isLive = exp === undefined || (typeof exp === 'number' && exp > now - toleratedSeconds);
  const checks: [isRight: boolean, claim: string][] = [
    [iss === issuer, 'iss'],
    [[aud].flat().includes(login.client_id), 'aud'],
    [isRecent, 'iat'],
    [isLive, 'exp'],
    [isText(jti), 'jti'],
    [isJsonObject(events) && isJsonObject(events[event]), 'events'],
    [nonce === undefined, 'nonce'],
    [sub === undefined || isText(sub), 'sub'],
    [sid === undefined || isText(sid), 'sid'],
    [sub !== undefined || sid !== undefined, 'sub'],
  ];
  const wrong = checks.find(([isRight]) => !isRight);
  if (wrong) throw refused(`wrong ${wrong[1]}`);
  return { jti: String(jti), sub, sid: sid as string | undefined };
}

const isText = (value: unknown): value is string =>
  typeof value === 'string' && value !== '' && value.length <= longestId;
