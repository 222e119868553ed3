import { decodeJwt, decodeProtectedHeader } from 'jose';
import Provider, { errors, type KoaContextWithOIDC } from 'oidc-provider';
import type { Refusals } from '../../../domain/audit/index.ts';
import {
  isSecretMethod,
  matchesSecret,
  type SecretUses,
  type WrongSecretThrottle,
} from '../../../domain/clients/index.ts';
import type { Digest } from '../../../platform/crypto/index.ts';
import { anonymous } from '../../../platform/http/index.ts';
import { type ClientRecord, findClientRecord, isFirstUse, readClientRecord, type StoreDeps } from '../store/index.ts';
import { currentUnit } from '../unit-of-work/index.ts';
import { hiddenModels } from './library-seams.ts';
import type { MutualTlsDeps } from './mutual-tls.ts';

export type SecretDeps = StoreDeps & {
  wrongSecretThrottle: WrongSecretThrottle;
  secretUses: SecretUses;
  refusals: Refusals;
};

/** Methods of client authentication; symmetric JWTs would need the secret itself, but only a digest is stored. */
export const clientAuthMethods = [
  'client_secret_basic',
  'client_secret_post',
  'private_key_jwt',
  'tls_client_auth',
  'self_signed_tls_client_auth',
  'none',
] as const;

/** The methods of this installation: mutual TLS needs a configured certificate header. */
export function usableAuthMethods({ clientCertificates: { header, authorities } }: MutualTlsDeps) {
  return clientAuthMethods.filter((method) => {
    if (method === 'tls_client_auth') return header !== undefined && authorities.length > 0;
    return method !== 'self_signed_tls_client_auth' || header !== undefined;
  });
}

/** What to do instead of signing assertions with a secret. */
export const insteadOfSecretJwt =
  'Latchkey stores only a digest of a secret and cannot verify what is signed with it. Register private_key_jwt with a public key, or send the secret by client_secret_basic';

/**
 * Secrets are compared as keyed digests, and any active one is accepted. Both `client_secret_basic` and `client_secret_post` are accepted,
 * no matter which of the two is registered: client libraries try both, and both contain the same secret.
 */
export function compareSecretsAsDigests(provider: Provider, deps: SecretDeps): void {
  const { prototype } = hiddenModels(provider).Client;
  prototype.compareClientSecret = async function compareClientSecret(presented) {
    const secret = await findPresentedSecret(deps, this.clientId, presented);
    if (!secret) return false;
    currentUnit().clientSecret = secret;
    deps.secretUses.record(secret.id, deps.now());
    return true;
  };
}

/** An active secret, and the epoch of its client as it was read with it. */
export type PresentedSecret = { id: string; epoch: number };

/**
 * The presented active secret of the client; undefined: it is invalid. Wrong ones are counted and recorded.
 *
 * @throws an `invalid_client` with status 429 after too many wrong ones, even for the right one
 */
export async function findPresentedSecret(
  deps: SecretDeps,
  client_id: string,
  presented: string,
): Promise<PresentedSecret | undefined> {
  const { origin } = currentUnit();
  const attempt = { client_id, address: origin.address ?? '' };
  const target = { kind: 'client', id: client_id };
  const refuse = (reason: string) =>
    deps.refusals.record({ actor: anonymous(origin), action: 'client.refused', target, reason });
  const waitSeconds = deps.wrongSecretThrottle.waitSeconds(attempt);
  if (waitSeconds !== undefined) {
    await refuse('too many wrong secrets');
    throw tooManyGuesses(waitSeconds);
  }
  const secret =
    (await findMatching(deps, await findClientRecord(deps, client_id), presented)) ??
    // A secret that another node has just created is not cached here yet.
    (await findMatching(deps, await readClientRecord(deps, client_id), presented));
  if (!secret) {
    await deps.wrongSecretThrottle.countWrong(attempt);
    await refuse('wrong secret');
  }
  return secret;
}

/**
 * Adds to a refusal what to do instead, if that reveals nothing about a client: for a caller that signs assertions with a secret, and for
 * one with a valid secret of a client that is registered with another method.
 */
export function explainRefusedClients(deps: SecretDeps) {
  return async (ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> => {
    await next();
    const { error } = (ctx.body ?? {}) as { error?: string };
    if (ctx.status !== 401 || error !== 'invalid_client') return;
    const error_description = await reasonOf(deps, ctx);
    if (!error_description) return;
    ctx.body = { error, error_description };
    // Libraries that find a challenge do not read the body.
    const challenge = ctx.response.get('WWW-Authenticate');
    if (challenge)
      ctx.set(
        'WWW-Authenticate',
        challenge.replace(/error_description="[^"]*"/, `error_description="${error_description}"`),
      );
  };
}

async function reasonOf(deps: SecretDeps, { oidc, headers }: KoaContextWithOIDC): Promise<string | undefined> {
  const { client_assertion, client_secret } = oidc.params ?? {};
  if (isSignedWithSecret(client_assertion)) return `client_secret_jwt is not supported: ${insteadOfSecretJwt}`;
  const { client } = oidc;
  if (!client || isSecretMethod(client.clientAuthMethod)) return undefined;
  const presented = typeof client_secret === 'string' ? client_secret : basicCredentials(headers.authorization)?.secret;
  const isRight = presented !== undefined && (await isLeftoverSecret(deps, client.clientId, presented));
  return isRight ? `this client is registered with ${client.clientAuthMethod}, not with a secret` : undefined;
}

/** Whether this is an active secret of a client that was registered with another method since. */
async function isLeftoverSecret(deps: SecretDeps, client_id: string, presented: string): Promise<boolean> {
  const record = await findClientRecord(deps, client_id);
  const address = currentUnit().origin.address ?? '';
  // A client without a secret cannot be guessed, and nothing is counted.
  if (!record?.secrets.length || deps.wrongSecretThrottle.waitSeconds({ client_id, address }) !== undefined)
    return false;
  return (await findPresentedSecret(deps, client_id, presented)) !== undefined;
}

function isSignedWithSecret(assertion: unknown): boolean {
  try {
    return typeof assertion === 'string' && decodeProtectedHeader(assertion).alg?.startsWith('HS') === true;
  } catch {
    // Not a JWT: the library has refused it already.
    return false;
  }
}

/** The credentials in HTTP Basic (RFC 6749 §2.3.1); undefined: malformed. */
export function basicCredentials(authorization: string | undefined): { client_id: string; secret: string } | undefined {
  const [, encoded] = /^basic ([A-Za-z0-9+/=]+)$/i.exec(authorization ?? '') ?? [];
  const [, client_id, secret] = /^([^:]*):(.*)$/s.exec(Buffer.from(encoded ?? '', 'base64').toString()) ?? [];
  if (!client_id || !secret) return undefined;
  try {
    return { client_id: formDecoded(client_id), secret: formDecoded(secret) };
  } catch {
    return undefined;
  }
}

const formDecoded = (text: string) => decodeURIComponent(text.replaceAll('+', '%20'));

/**
 * The presented secret, if this node has it cached for the client. Undefined: it must be looked up, or it is wrong, or there were too many
 * wrong ones before; the provider's own check handles that, and counts and records it.
 */
export function findKnownSecret(
  deps: SecretDeps,
  record: ClientRecord,
  { presented, address }: { presented: string; address: string },
): PresentedSecret | undefined {
  if (deps.wrongSecretThrottle.waitSeconds({ client_id: record.client_id, address }) !== undefined) return undefined;
  return matching(deps, record, presented);
}

async function findMatching(
  deps: SecretDeps,
  record: ClientRecord | undefined,
  presented: string,
): Promise<PresentedSecret | undefined> {
  if (!record) return undefined;
  await deps.keys.ensure(record.secrets.map(({ pepper_id }) => pepper_id));
  return matching(deps, record, presented);
}

function matching({ keys, now }: SecretDeps, record: ClientRecord, presented: string): PresentedSecret | undefined {
  const at = now();
  const found = record.secrets.find(
    ({ expires_at, digest, ...secret }) =>
      (expires_at === null || new Date(expires_at) > at) &&
      matchesSecret(keys, { ...secret, digest: Buffer.from(digest, 'hex') as Digest }, presented),
  );
  return found && { id: found.id, epoch: record.epoch };
}

function tooManyGuesses(waitSeconds: number): Error {
  Provider.ctx?.set('Retry-After', String(waitSeconds));
  const refusal = new errors.CustomOIDCProviderError('invalid_client', 'too many wrong secrets, wait and try again');
  return Object.assign(refusal, { status: 429, statusCode: 429, expose: true });
}

/** One insert decides which of several uses of a `jti` was first; oidc-provider would look, then save. */
export function useEachJtiOnce(provider: Provider, { db }: StoreDeps): void {
  hiddenModels(provider).ReplayDetection.unique = async (iss, jti, exp) => {
    if (await isFirstUse(db, iss, jti, exp)) return true;
    // The library would report the grant or the token; RFC 9449 §5 has a separate code for it.
    if (isPresentedProof(jti)) throw new errors.InvalidDpopProof('DPoP proof was used before');
    return false;
  };
}

function isPresentedProof(jti: string): boolean {
  try {
    return decodeJwt(Provider.ctx?.get('DPoP') ?? '').jti === jti;
  } catch {
    // Without a valid proof it is the `jti` of a client assertion.
    return false;
  }
}

const maxAssertionSeconds = 3600;
const assertionTypes = new Set<unknown>([undefined, 'JWT', 'client-authentication+jwt']);

/**
 * Checks of a client assertion that oidc-provider leaves out: it is for this server alone (otherwise another recipient could use it here
 * first), for this purpose (RFC 8725 §3.12), and its `jti` need not be stored for long (RFC 7523 §3).
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
