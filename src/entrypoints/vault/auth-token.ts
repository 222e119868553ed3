import { allows } from '../../domain/access/index.ts';
import { tokensPermission } from '../../domain/secrets/index.ts';
import { isAccessToken, revokeToken } from '../../domain/tokens/index.ts';
import {
  accessorOf,
  describeVaultToken,
  renewVaultToken,
  revokeAndOrphan,
  type VaultToken,
} from '../../domain/vault-tokens/index.ts';
import { type Digest, digest } from '../../platform/crypto/index.ts';
import { answerWith, noContent, permissionDenied, type VaultAnswer, type VaultAuth, VaultError } from './answers.ts';
import { type VaultCaller, vaultCallerOf } from './callers.ts';
import { secondsIn, textIn } from './fields.ts';
import type { Called, VaultDeps, VaultRoute } from './routing.ts';

/** Tokens: the holder of a token looks it up, renews and revokes it. */
export const tokenRoutes: readonly VaultRoute[] = [
  { path: /^auth\/token\/lookup-self$/, route: '/v1/auth/token/lookup-self', closed: { read: lookUp, write: lookUp } },
  { path: /^auth\/token\/renew-self$/, route: '/v1/auth/token/renew-self', closed: { write: renew } },
  { path: /^auth\/token\/revoke-self$/, route: '/v1/auth/token/revoke-self', closed: { write: revoke } },
  {
    path: /^auth\/token\/lookup$/,
    route: '/v1/auth/token/lookup',
    closed: { read: lookUp, write: ofNamed(lookUp, { orOwn: true, unknown: badToken }) },
  },
  {
    path: /^auth\/token\/renew$/,
    route: '/v1/auth/token/renew',
    closed: { write: ofNamed(renew, { unknown: tokenNotFound }) },
  },
  { path: /^auth\/token\/revoke$/, route: '/v1/auth/token/revoke', closed: { write: ofNamed(revoke) } },
  { path: /^auth\/token\/tidy$/, route: '/v1/auth/token/tidy', closed: { write: tidy } },
  {
    path: /^auth\/token\/revoke-orphan$/,
    route: '/v1/auth/token/revoke-orphan',
    closed: { write: byKeeper(ofNamed(revokeAlone)) },
  },
];

/** Expired tokens are removed by themselves. */
async function tidy(_: VaultDeps, { request }: Called): Promise<VaultAnswer> {
  return answerWith(request.request_id, { warnings: ['Expired tokens are removed every minute.'] }, 202);
}

/** @throws VaultError 403 */
async function badToken(): Promise<VaultAnswer> {
  throw new VaultError(403, 'bad token');
}

/** @throws VaultError 400 */
async function tokenNotFound(): Promise<VaultAnswer> {
  throw new VaultError(400, 'token not found');
}

/** Revoking a token that does not exist succeeds. */
async function nothingToRevoke(): Promise<VaultAnswer> {
  return noContent;
}

type Named = {
  /** Without a token in the body, the caller's own is meant. */
  orOwn?: true;
  /** Answers if the token is not valid. */
  unknown?: () => Promise<VaultAnswer>;
};

/**
 * The same with a token that the body names. Only a lookup may leave it out: a client that lost the token that it wants to revoke would revoke
 * its own.
 */
function ofNamed(
  handler: (deps: VaultDeps, asked: Called) => Promise<VaultAnswer>,
  { orOwn, unknown = nothingToRevoke }: Named = {},
) {
  return async (deps: VaultDeps, asked: Called): Promise<VaultAnswer> => {
    const token = textIn(asked.body, 'token') || (orOwn && asked.caller.token);
    if (!token) throw new VaultError(400, 'missing token ID');
    const caller = await vaultCallerOf(deps, asked.request, token).catch(refusedOnly);
    return caller ? handler(deps, { ...asked, caller }) : unknown();
  };
}

/** @returns undefined: the token is not valid @throws any other error */
function refusedOnly(error: unknown): undefined {
  if (!(error instanceof VaultError)) throw error;
  return undefined;
}

/** For callers with the permission. @throws VaultError 403 */
function byKeeper(handler: typeof lookUp) {
  return async (deps: VaultDeps, asked: Called): Promise<VaultAnswer> => {
    mustKeepTokens(asked.caller);
    return handler(deps, asked);
  };
}

/** Tokens without a parent need the permission. @throws VaultError 403 */
export function mustKeepTokens({ rights }: Pick<VaultCaller, 'rights'>): void {
  if (!allows(rights, tokensPermission))
    throw new VaultError(403, 'permission denied', `a token without a parent needs ${tokensPermission}`);
}

async function lookUp(deps: VaultDeps, { request, caller }: Called): Promise<VaultAnswer> {
  const { token, name, expires_at, rights } = caller;
  const noted = caller.isKey ? undefined : await describeVaultToken(deps, token);
  const of = isAccessToken(token) ? digest(token) : undefined;
  const data = tokenData({ noted, digest: of, expires_at, rights, id: token, name }, deps.now());
  return answerWith(request.request_id, { data });
}

type Looked = {
  noted: VaultToken | undefined;
  /** Undefined: an API key, or a JWT. They have no accessor. */
  digest: Digest | undefined;
  expires_at: Date | null;
  rights: readonly string[];
  /** Empty if it was looked up by its accessor. */
  id: string;
  name: string;
};

/** Vault's description of a token. */
export function tokenData({ noted, digest: of, expires_at, rights, id, name }: Looked, now: Date) {
  const ttl = expires_at === null ? 0 : secondsUntil(expires_at, now);
  const issued = noted?.created_at ?? now;
  return {
    accessor: noted?.accessor ?? (of ? accessorOf(of) : ''),
    ...(noted?.bound_cidrs && { bound_cidrs: noted.bound_cidrs }),
    creation_time: Math.floor(issued.getTime() / 1000),
    creation_ttl: noted?.ttl_seconds ?? ttl,
    display_name: noted?.display_name ?? `token-${name}`,
    entity_id: '',
    expire_time: expires_at,
    explicit_max_ttl: 0,
    id,
    issue_time: issued,
    meta: filled(noted?.metadata),
    num_uses: noted?.uses_left ?? 0,
    orphan: !noted?.parent,
    path: noted?.path ?? 'auth/token/create',
    policies: policiesOf(noted, rights),
    renewable: noted?.renewable ?? false,
    ttl,
    type: 'service',
  };
}

/** Vault has null where there is no metadata. */
const filled = (metadata: Record<string, string> | undefined): Record<string, string> | null =>
  metadata && Object.keys(metadata).length > 0 ? metadata : null;

/** The policies that a token was created with; if there were none, its permissions are listed instead. */
const policiesOf = (noted: VaultToken | undefined, rights: readonly string[]): string[] =>
  noted?.policies ?? ['default', ...rights];

export const secondsUntil = (expires_at: Date, now: Date) =>
  Math.max(0, Math.floor((expires_at.getTime() - now.getTime()) / 1000));

async function renew(deps: VaultDeps, { request, body, caller }: Called): Promise<VaultAnswer> {
  const seconds = secondsIn(body, 'increment');
  const { token, actor, rights } = caller;
  const renewed = caller.isKey ? undefined : await renewVaultToken(deps, actor, { token: digest(token), seconds });
  if (!renewed) throw new VaultError(400, 'lease is not renewable');
  const lease_duration = renewed.seconds;
  return answerWith(request.request_id, { auth: authOf({ token, noted: renewed.noted, rights, lease_duration }) });
}

type Authenticated = { token: string; noted: VaultToken; rights: readonly string[]; lease_duration: number };

/** The response of a login or a renewal. */
export function authOf({ token, noted, rights, lease_duration }: Authenticated): VaultAuth {
  const policies = policiesOf(noted, rights);
  return {
    client_token: token,
    accessor: noted.accessor,
    policies,
    token_policies: policies,
    metadata: filled(noted.metadata),
    lease_duration,
    renewable: noted.renewable,
    entity_id: '',
    token_type: 'service',
    orphan: !noted.parent,
    mfa_requirement: null,
    num_uses: noted.uses ?? 0,
  };
}

async function revoke(deps: VaultDeps, { caller }: Called): Promise<VaultAnswer> {
  if (caller.isKey) throw permissionDenied();
  await revokeToken(deps, caller.actor, caller.token);
  return noContent;
}

/** Its children outlive it: as if they were created without a parent. @throws VaultError 403 */
async function revokeAlone(deps: VaultDeps, asked: Called): Promise<VaultAnswer> {
  const { isKey, actor, token } = asked.caller;
  if (isKey) throw permissionDenied();
  await revokeAndOrphan(deps, actor, digest(token));
  return noContent;
}
