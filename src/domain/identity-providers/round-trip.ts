import { randomBytes } from 'node:crypto';
import { decodeProtectedHeader, type JWTPayload } from 'jose';
import type { AuthorizationCodeGrantChecks, Configuration } from 'openid-client';
import { type IssuerKeys, mappedClaims, unmetCondition } from '../trusts/index.ts';
import { type LoginTrust, openidClient, type ProviderConnections } from './connections.ts';
import { gitHubAccount } from './github.ts';
import { ProviderRefusal, refusalOf } from './refusal.ts';
import { signatureProblem } from './signatures.ts';
import type { UpstreamAccount } from './upstream-account.ts';

export type RoundTripDeps = { connections: ProviderConnections; issuerKeys: IssuerKeys };

/** The values that bind a response to its request. The browser keeps them, sealed. */
export type RoundTrip = { nonce: string; code_verifier: string };

const random = () => randomBytes(32).toString('base64url');

export const newRoundTrip = (): RoundTrip => ({ nonce: random(), code_verifier: random() });

type AuthorizationRequest = RoundTrip & {
  state: string;
  redirect_uri: string;
  login_hint?: string | undefined;
  /** Whether the user must authenticate again, or choose an account; null: the provider decides. */
  prompt: 'login' | 'select_account' | null;
};

/** The address that a browser is redirected to for sign-in. @throws ProviderRefusal */
export async function authorizationUrl(
  { connections }: RoundTripDeps,
  trust: LoginTrust,
  { nonce, code_verifier, prompt, login_hint, ...request }: AuthorizationRequest,
): Promise<string> {
  const connection = await connections.of(trust);
  const { buildAuthorizationUrl, calculatePKCECodeChallenge } = await openidClient();
  const isOpenId = trust.login.provider !== 'github';
  const url = buildAuthorizationUrl(connection, {
    ...request,
    scope: scopesOf(trust).join(' '),
    ...{ code_challenge: await calculatePKCECodeChallenge(code_verifier), code_challenge_method: 'S256' },
    ...(isOpenId && { nonce }),
    ...(prompt && { prompt: isOpenId ? prompt : 'select_account' }),
    ...(isOpenId && prompt === 'login' && { max_age: '0' }),
    ...(login_hint && { [isOpenId ? 'login_hint' : 'login']: login_hint }),
  });
  return url.href;
}

function scopesOf({ login }: LoginTrust): readonly string[] {
  if (login.provider === 'github') return login.scopes ?? ['read:user', 'user:email'];
  return ['openid', ...(login.scopes ?? ['email', 'profile']).filter((scope) => scope !== 'openid')];
}

/**
 * Redeems the response of a provider, and checks its request, issuer, audience and signature (OpenID Connect Core §3.1.3.7, RFC 9207).
 *
 * @param url the redirect URI with the parameters of the response
 * @throws ProviderRefusal
 */
export async function redeem(
  deps: RoundTripDeps,
  trust: LoginTrust,
  { url, state, nonce, code_verifier }: RoundTrip & { url: URL; state: string },
): Promise<UpstreamAccount> {
  const connection = await deps.connections.of(trust);
  const isOpenId = trust.login.provider !== 'github';
  const checks = { expectedState: state, pkceCodeVerifier: code_verifier };
  const tokens = await granted(connection, url, isOpenId ? { ...checks, expectedNonce: nonce } : checks);
  if (!isOpenId) return accepted(trust, await gitHubAccount(connection, trust, tokens.access_token));
  await mustBeSigned(deps, connection, tokens.id_token ?? '');
  const signed = tokens.claims() ?? { sub: '' };
  const claims = await completed(connection, tokens.access_token, { trust, signed });
  const { auth_time, sid } = signed as { auth_time?: unknown; sid?: unknown };
  return accepted(trust, {
    ...{ issuer: trust.issuer, subject: signed.sub, claims },
    authenticated_at: typeof auth_time === 'number' ? new Date(auth_time * 1000) : undefined,
    sid: typeof sid === 'string' && sid.length <= longestId ? sid : undefined,
  });
}

const longestId = 512;

async function granted(connection: Configuration, url: URL, checks: AuthorizationCodeGrantChecks) {
  const { authorizationCodeGrant } = await openidClient();
  return authorizationCodeGrant(connection, url, checks).catch((error: unknown) => {
    throw refusalOf(error);
  });
}

/** TLS would be sufficient (§3.1.3.7, 6); the signature is verified as well. */
async function mustBeSigned({ issuerKeys }: RoundTripDeps, connection: Configuration, id_token: string): Promise<void> {
  const token = { text: id_token, header: decodeProtectedHeader(id_token) };
  const problem = await signatureProblem(issuerKeys, connection.serverMetadata(), token);
  if (problem?.kind === 'signature') throw new ProviderRefusal('invalid', 'wrong signature of the ID token');
  if (problem?.kind === 'algorithm') throw new ProviderRefusal('invalid', 'wrong algorithm of the ID token');
  if (problem) throw new ProviderRefusal('invalid', `no key for the ID token: ${problem.message}`);
}

type Signed = { trust: LoginTrust; signed: JWTPayload & { sub: string } };

/** Some providers return the address, or groups, only from the userinfo endpoint. */
async function completed(connection: Configuration, access_token: string, { trust, signed }: Signed) {
  const { userinfo_endpoint } = connection.serverMetadata();
  const isComplete = ['email', ...mappedClaims(trust.login)].every((claim) => signed[claim] !== undefined);
  if (isComplete || userinfo_endpoint === undefined) return signed;
  const { fetchUserInfo } = await openidClient();
  const said = await fetchUserInfo(connection, access_token, signed.sub).catch((error: unknown) => {
    throw refusalOf(error);
  });
  return { ...said, ...signed };
}

/** Checks the conditions of a trust for an account. @throws ProviderRefusal */
function accepted(trust: LoginTrust, account: UpstreamAccount): UpstreamAccount {
  if (account.subject === '' || account.subject.length > longestId)
    throw new ProviderRefusal('invalid', 'wrong sub in the ID token');
  const unmet = unmetCondition(account.claims, trust.conditions);
  if (unmet) throw new ProviderRefusal('invalid', `the condition on ${unmet} is not met`);
  return account;
}
