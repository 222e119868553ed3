import { contains } from '../../domain/access/index.ts';
import { findPolicy } from '../../domain/vault-policies/index.ts';
import { findParent, noteVaultToken, revokeVaultToken, type TokenLimits } from '../../domain/vault-tokens/index.ts';
import { digest } from '../../platform/crypto/index.ts';
import { issueFurtherToken } from '../oauth/index.ts';
import { answerWith, permissionDenied, type VaultAnswer, VaultError } from './answers.ts';
import { authOf, mustKeepTokens } from './auth-token.ts';
import { type WithinRole, withinTokenRole } from './auth-token-roles.ts';
import { isWithin, type VaultCaller } from './callers.ts';
import { cidrsIn, type Fields, flagIn, numberIn, objectIn, secondsIn, textIn, textsIn } from './fields.ts';
import type { Called, VaultDeps, VaultRoute } from './routing.ts';

/** A token creates another one, which may do no more, and expires with it, unless it is an orphan. */
export const tokenCreationRoutes: readonly VaultRoute[] = [
  { path: /^auth\/token\/create$/, route: '/v1/auth/token/create', closed: { write: create } },
  { path: /^auth\/token\/create\/([^/]+)$/, route: '/v1/auth/token/create', closed: { write: createInRole } },
  { path: /^auth\/token\/create-orphan$/, route: '/v1/auth/token/create-orphan', closed: { write: createOrphan } },
];

const path = 'auth/token/create';

async function create(deps: VaultDeps, asked: Called): Promise<VaultAnswer> {
  return created(deps, asked, { path, body: asked.body });
}

async function createOrphan(deps: VaultDeps, asked: Called): Promise<VaultAnswer> {
  return created(deps, asked, { path, body: { ...asked.body, no_parent: true } });
}

async function createInRole(deps: VaultDeps, asked: Called): Promise<VaultAnswer> {
  return created(deps, asked, await withinTokenRole(deps, asked.names[0] ?? '', asked.body));
}

async function created(deps: VaultDeps, { request, caller }: Called, asked: WithinRole): Promise<VaultAnswer> {
  const { token, client_id } = caller;
  const { body, path } = asked;
  mustBeSupported(body);
  const isOrphan = flagIn(body, 'no_parent') === true;
  if (isOrphan) mustKeepTokens(caller);
  const parent = client_id === undefined ? undefined : await findParent(deps, token);
  if (client_id === undefined || !parent)
    throw new VaultError(400, 'only a token that a client logged in for makes other tokens');
  const { policies, scopes } = await policiesIn(deps, caller, body);
  const limits = limitsIn(body, caller);
  const seconds = secondsOf(deps, { body, limits, parentEnds: isOrphan ? undefined : parent.expires_at });
  const { trust_id, trust_epoch } = parent;
  const trust = trust_id === null ? undefined : { id: trust_id, epoch: trust_epoch ?? 0 };
  const issued = await issueFurtherToken(
    deps.logIn,
    { client_id, scopes, trust },
    { audience: deps.audience, origin: request.origin, seconds, marks: marksOf(limits) },
  );
  if (!issued) throw permissionDenied();
  const lease_duration = Math.floor((issued.expires_at.getTime() - issued.issued_at.getTime()) / 1000);
  const display_name = ['token', textIn(body, 'display_name')].filter(Boolean).join('-').slice(0, 200);
  const login = { display_name, path, ttl_seconds: lease_duration, metadata: metadataIn(body), limits };
  const noted = await noteVaultToken(deps, issued.access_token, {
    ...{ ...login, ...(policies && { policies }), ...(!isOrphan && { parent: token }) },
  });
  if (!noted) {
    await revokeVaultToken(deps, caller.actor, digest(issued.access_token));
    throw permissionDenied();
  }
  const auth = authOf({ token: issued.access_token, noted, rights: issued.scopes, lease_duration });
  return answerWith(request.request_id, { auth });
}

/** @throws VaultError 400: a parameter that would be ignored */
function mustBeSupported(body: Fields): void {
  const type = textIn(body, 'type') || 'service';
  if (type !== 'service' && type !== 'default-service')
    throw new VaultError(400, `tokens of type "${type}" are not supported`);
  for (const name of ['id', 'period', 'entity_alias'] as const) {
    const given = body[name];
    if (given && given !== '0' && given !== '0s') throw new VaultError(400, `${name} is not supported`);
  }
}

type Narrowed = { policies: string[] | undefined; scopes: readonly string[] };

/** Policies by their names, and permissions as `lookup-self` lists them; none: those of the parent. @throws VaultError 400 */
async function policiesIn(deps: VaultDeps, { rights }: VaultCaller, body: Fields): Promise<Narrowed> {
  const names = textsIn(body, 'policies')?.map((name) => (name.includes(':') ? name : name.toLowerCase()));
  if (!names || names.length === 0) return { policies: undefined, scopes: rights };
  if (names.includes('root')) throw new VaultError(400, 'root tokens may not be created: there are none');
  const patterns = await Promise.all(names.map((name) => permissionsOf(deps, name)));
  const scopes = [...new Set(patterns.flat())];
  if (!contains(rights, scopes)) throw new VaultError(400, 'child policies must be subset of parent');
  const withDefault = flagIn(body, 'no_default_policy') ? names : ['default', ...names];
  return { policies: [...new Set(withDefault)], scopes };
}

/** @throws VaultError 400: there is no such policy */
async function permissionsOf(deps: VaultDeps, name: string): Promise<readonly string[]> {
  if (name === 'default') return [];
  if (name.includes(':')) return [name];
  const policy = await findPolicy(deps, name);
  if (policy) return policy.permissions;
  throw new VaultError(400, `there is no policy "${name}"`);
}

/** @throws VaultError 400 */
function limitsIn(body: Fields, { limits: own }: VaultCaller): TokenLimits {
  const uses = numberIn(body, 'num_uses') || undefined;
  if (uses !== undefined && uses < 0) throw new VaultError(400, 'number of uses cannot be negative');
  if (own.vault_uses) throw new VaultError(400, 'restricted use token cannot generate child tokens');
  return {
    uses,
    bound_cidrs: networksIn(body, own.vault_cidrs),
    most_seconds: secondsIn(body, 'explicit_max_ttl') || undefined,
    renewable: flagIn(body, 'renewable'),
  };
}

/** The networks of a child token must be within those of its parent. @throws VaultError 400 */
function networksIn(body: Fields, own: readonly string[] | undefined): readonly string[] | undefined {
  const asked = cidrsIn(body, 'bound_cidrs');
  if (own && asked && !isWithin(own, asked))
    throw new VaultError(400, `bound_cidrs must be within those of the parent: ${own.join(', ')}`);
  return asked ?? own;
}

/** @param parentEnds undefined: it has no parent */
type Lasting = { body: Fields; limits: TokenLimits; parentEnds: Date | undefined };

const mostSeconds = 24 * 3600;

function secondsOf(deps: VaultDeps, { body, limits, parentEnds }: Lasting): number {
  const asked = secondsIn(body, 'ttl') || secondsIn(body, 'lease') || deps.tokenSeconds;
  const left = parentEnds ? Math.floor((parentEnds.getTime() - deps.now().getTime()) / 1000) : mostSeconds;
  return Math.max(1, Math.min(asked, left, limits.most_seconds ?? left));
}

/** The limits of a token. Checking a token without limits costs nothing. */
export function marksOf({ uses, bound_cidrs }: TokenLimits): Record<string, unknown> {
  return { ...(uses && { vault_uses: true }), ...(bound_cidrs && { vault_cidrs: bound_cidrs }) };
}

/** @throws VaultError 400 */
function metadataIn(body: Fields): Record<string, string> {
  const entries = Object.entries(objectIn(body, 'meta') ?? objectIn(body, 'metadata') ?? {});
  const isFit = entries.every(
    ([name, value]) => name.length <= 128 && typeof value === 'string' && value.length <= 512,
  );
  if (!isFit || entries.length > 64) throw new VaultError(400, 'meta has at most 64 texts of at most 512 characters');
  return Object.fromEntries(entries) as Record<string, string>;
}
