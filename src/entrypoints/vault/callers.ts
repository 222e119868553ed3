import { decodeJwt } from 'jose';
import {
  type KeyEntry,
  type KeyVerdict,
  type KeyVerifier,
  keyCodeKinds,
  looksLikeKey,
} from '../../domain/api-keys/index.ts';
import type { SecretCaller } from '../../domain/secrets/index.ts';
import { isAccessToken } from '../../domain/tokens/index.ts';
import { type Digest, digest } from '../../platform/crypto/index.ts';
import { type Limit, NetworkSet, parseNetwork } from '../../platform/http/index.ts';
import { type BearerDeps, judgeToken } from '../oauth/index.ts';
import { invalidToken, permissionDenied, VaultError } from './answers.ts';
import type { VaultRequest } from './vault-request.ts';

export type CallerDeps = {
  apiKeys: KeyVerifier;
  bearers: BearerDeps;
  /** The store of secrets as a resource server. */
  audience: string;
};

/** Who calls, with the token that came. An API key has no expiry that anything here could change. */
export type VaultCaller = SecretCaller & {
  token: string;
  isKey: boolean;
  /** The API key itself was sent. */
  key?: KeyEntry;
  expires_at: Date | null;
  name: string;
  /** The client that acts for itself with an opaque token; undefined: another caller or credential. */
  client_id?: string | undefined;
  limits: TokenMarks;
};

/** The limits of a token (`marks` of a login). `vault_key`: the digest of the API key that created it, in hexadecimal. */
export type TokenMarks = { vault_uses?: true; vault_cidrs?: readonly string[]; vault_key?: string };

/**
 * The caller: with an access token for the store of secrets, or an API key.
 *
 * @throws VaultError 403: there is no valid token; 429: the limits of a key
 */
export async function vaultCallerOf(
  deps: CallerDeps,
  request: VaultRequest,
  token = request.token,
): Promise<VaultCaller> {
  if (token === undefined) throw permissionDenied();
  return looksLikeKey(token) ? callerByKey(deps, request, token) : callerByToken(deps, request, token);
}

async function callerByToken(deps: CallerDeps, request: VaultRequest, token: string): Promise<VaultCaller> {
  const { origin } = request;
  const verdict = await judgeToken(deps.bearers, { token });
  if (verdict.code !== 'valid' && isAccessToken(token)) throw invalidToken();
  // A token that is bound to a key needs a proof, which Vault's clients do not send.
  if (verdict.code !== 'valid' || verdict.audience !== deps.audience) throw permissionDenied();
  const { kind, id, subject_id, client_id, scopes } = verdict.bearer;
  const actor = { kind, id, subject_id, limits: [limitOf('the token', scopes, deps)], permissions: scopes, origin };
  const credential = isAccessToken(token)
    ? { access_token: digest(token).toString('hex') }
    : { jti: decodeJwt(token).jti };
  const { expires_at, payload } = verdict;
  const limits: TokenMarks = payload;
  mustComeFrom(limits.vault_cidrs, request.address);
  if (limits.vault_key) await mustBeWithinKey(deps, request, limits.vault_key);
  const own = kind === 'client' && isAccessToken(token) ? client_id : undefined;
  const caller = { actor, rights: scopes, credential, token, isKey: false, expires_at, name: client_id };
  return { ...caller, client_id: own, limits };
}

/** @throws VaultError 403: the token may not be used from this address */
export function mustComeFrom(cidrs: readonly string[] | undefined, address = ''): void {
  if (cidrs && !new NetworkSet(networksOf(cidrs)).has(address)) throw permissionDenied();
}

const networksOf = (cidrs: readonly string[]) => cidrs.map(parseNetwork).filter((network) => network !== undefined);

/** Whether each of some networks lies in one of others. */
export function isWithin(cidrs: readonly string[], others: readonly string[]): boolean {
  const networks = new NetworkSet(networksOf(cidrs));
  return networksOf(others).every((network) => networks.covers(network));
}

/** A credential must itself have the permissions that it grants, however many its owner has. */
function limitOf(by: string, patterns: readonly string[], { audience }: CallerDeps): Limit {
  const rights = patterns.map((pattern) => ({ resource: audience, pattern }));
  return { by, rights, until: null, restrictions: {}, conditions: [] };
}

async function callerByKey(deps: CallerDeps, { origin, address }: VaultRequest, key: string): Promise<VaultCaller> {
  const { apiKeys: keys, audience } = deps;
  const verdict = await keys.verify(key, useOf(audience, address), keys.senderAt(address ?? ''));
  const entry = allowedKey(verdict);
  const rights = [...entry.permissionsAt(audience)];
  const { id, owner, expires_at, name } = entry;
  const limits = [limitOf('the API key', rights, deps)];
  const actor = { kind: 'api_key' as const, id, subject_id: owner.id, limits, permissions: rights, origin };
  const credential = { api_key_id: id, subject_id: owner.id };
  return { actor, rights, credential, token: key, isKey: true, key: entry, expires_at, name, limits: {} };
}

/** A token that was created with an API key is used within the restrictions that the key has now. @throws VaultError 403, 429 */
async function mustBeWithinKey({ apiKeys: keys, audience }: CallerDeps, { address }: VaultRequest, of: string) {
  const use = useOf(audience, address);
  allowedKey(await keys.verifyByDigest(Buffer.from(of, 'hex') as Digest, use, keys.senderAt(address ?? '')));
}

const useOf = (resource: string, ip = '') => ({
  ...{ needs: undefined, permissions: [], resource, ip, origin: undefined, cost: 1, parameters: {} },
});

/** @throws VaultError 403: the key is not accepted; 429: its limits */
function allowedKey({ code, entry }: KeyVerdict): KeyEntry {
  if (keyCodeKinds[code] === 'limited')
    throw new VaultError(429, 'the limit of the API key is used up: try again later');
  if (keyCodeKinds[code] === 'dead') throw invalidToken();
  if (code !== 'valid' || !entry) throw permissionDenied();
  return entry;
}
