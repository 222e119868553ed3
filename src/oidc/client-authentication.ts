import { decodeJwt } from 'jose';
import Provider, { type Client, errors, type KoaContextWithOIDC } from 'oidc-provider';
import type { Refusals } from '../audit/index.ts';
import { matchesSecret, type SecretGuesses } from '../clients/index.ts';
import type { Digest } from '../platform/crypto/index.ts';
import { anonymous } from '../platform/http/index.ts';
import type { MutualTlsDeps } from './mutual-tls.ts';
import {
  type ClientRecord,
  findClientRecord,
  isFirstUse,
  readClientRecord,
  type StoreDeps,
} from './token-store/index.ts';
import { currentUnit } from './token-transaction/index.ts';

export type SecretDeps = StoreDeps & { secretGuesses: SecretGuesses; refusals: Refusals };

/** Ways of client authentication; symmetric JWTs would need the secret itself, of which only a digest is stored. */
export const clientAuthMethods = [
  'client_secret_basic',
  'client_secret_post',
  'private_key_jwt',
  'tls_client_auth',
  'self_signed_tls_client_auth',
  'none',
] as const;

/** Those that work here: mutual TLS needs to be told of certificates. */
export function usableAuthMethods({ clientCertificates: { header, authorities } }: MutualTlsDeps) {
  return clientAuthMethods.filter((method) => {
    if (method === 'tls_client_auth') return header !== undefined && authorities.length > 0;
    return method !== 'self_signed_tls_client_auth' || header !== undefined;
  });
}

/**
 * Secrets are compared as keyed digests, any live one counts, and only the registered method does: oidc-provider takes a
 * secret from the body for a client registered with Basic (RFC 7591 §2).
 */
export function compareSecretsAsDigests(provider: Provider, deps: SecretDeps): void {
  const { prototype } = provider.Client as unknown as {
    prototype: { compareClientSecret: (this: Client, presented: string) => Promise<boolean> };
  };
  prototype.compareClientSecret = async function compareClientSecret(presented) {
    const { origin } = currentUnit();
    const attempt = { client_id: this.clientId, address: origin.address ?? '' };
    const target = { kind: 'client', id: this.clientId };
    const refuse = (reason: string) =>
      deps.refusals.record({ actor: anonymous(origin), action: 'client.refused', target, reason });
    const waitSeconds = deps.secretGuesses.waitSeconds(attempt);
    if (waitSeconds !== undefined) {
      await refuse('too many wrong secrets');
      throw tooManyGuesses(waitSeconds);
    }
    const cameInBody = Provider.ctx?.oidc.params?.client_secret !== undefined;
    const presentedMethod = cameInBody ? 'client_secret_post' : 'client_secret_basic';
    const isRight =
      (await matches(deps, await findClientRecord(deps, this.clientId), presented)) ||
      // A secret that another node has made just now is not remembered here yet.
      (await matches(deps, await readClientRecord(deps, this.clientId), presented));
    if (!isRight) {
      await deps.secretGuesses.countWrong(attempt);
      await refuse('wrong secret');
    }
    return isRight && this.clientAuthMethod === presentedMethod;
  };
}

async function matches(
  { keys, now }: SecretDeps,
  record: ClientRecord | undefined,
  presented: string,
): Promise<boolean> {
  const live = (record?.secrets ?? []).filter(({ expires_at }) => expires_at === null || new Date(expires_at) > now());
  await keys.ensure(live.map(({ pepper_id }) => pepper_id));
  return live.some((secret) =>
    matchesSecret(keys, { ...secret, digest: Buffer.from(secret.digest, 'hex') as Digest }, presented),
  );
}

function tooManyGuesses(waitSeconds: number): Error {
  Provider.ctx?.set('Retry-After', String(waitSeconds));
  const refusal = new errors.CustomOIDCProviderError('invalid_client', 'too many wrong secrets, wait and try again');
  return Object.assign(refusal, { status: 429, statusCode: 429, expose: true });
}

/** One insert decides which of several uses of a `jti` was first; oidc-provider would look, then save. */
export function useEachJtiOnce(provider: Provider, { db }: StoreDeps): void {
  const model = provider.ReplayDetection as unknown as {
    unique: (iss: string, jti: string, exp: number) => Promise<boolean>;
  };
  model.unique = async (iss, jti, exp) => {
    if (await isFirstUse(db, iss, jti, exp)) return true;
    // The library would blame the grant or the token; RFC 9449 §5 has a code for it.
    if (isPresentedProof(jti)) throw new errors.InvalidDpopProof('DPoP proof was used before');
    return false;
  };
}

function isPresentedProof(jti: string): boolean {
  try {
    return decodeJwt(Provider.ctx?.get('DPoP') ?? '').jti === jti;
  } catch {
    // No proof came along, or garbage: then it is the `jti` of a client assertion.
    return false;
  }
}

const maxAssertionSeconds = 3600;
const assertionTypes = new Set<unknown>([undefined, 'JWT', 'client-authentication+jwt']);

/**
 * What oidc-provider leaves open about a client assertion: it is meant for this server alone (else another server it was
 * sent to could use it here first), made for this purpose (RFC 8725 §3.12), and its `jti` need not be kept for long
 * (RFC 7523 §3).
 *
 * @throws InvalidClientAuth
 */
export function judgeAssertion({ now }: Pick<StoreDeps, 'now'>) {
  return (ctx: KoaContextWithOIDC, { aud, exp }: Record<string, unknown>, { typ }: Record<string, unknown>): void => {
    const ours: Set<unknown> = ctx.oidc.clientJwtAuthExpectedAudience();
    if (![aud].flat().every((audience) => ours.has(audience))) throw new errors.InvalidClientAuth('foreign audience');
    if (!assertionTypes.has(typ)) throw new errors.InvalidClientAuth('type of another JWT');
    const isBounded = typeof exp === 'number' && exp <= now().getTime() / 1000 + maxAssertionSeconds;
    if (!isBounded) throw new errors.InvalidClientAuth('expires too far in the future');
  };
}

/**
 * A public client may be called from the origins it redirects to, and userinfo by any client from its own. A key itself says
 * from which pages it may be used; browsers add nothing to it.
 */
export function isAllowedOrigin(ctx: { oidc: { route: string } }, origin: string, client: Client): boolean {
  if (currentUnit().presentedKey) return true;
  if (origin === 'null') return false;
  if (ctx.oidc.route !== 'userinfo' && client.clientAuthMethod !== 'none') return false;
  return (client.redirectUris ?? []).some((uri) => URL.parse(uri)?.origin === origin);
}
