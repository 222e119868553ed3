import { contains } from '../../domain/access/index.ts';
import { secondsLeft } from '../../domain/api-keys/index.ts';
import { isAccessToken } from '../../domain/tokens/index.ts';
import { findPolicy } from '../../domain/vault-policies/index.ts';
import {
  type ChildToken,
  createChildToken,
  findParent,
  noteVaultToken,
  type TokenLimits,
  type VaultToken,
} from '../../domain/vault-tokens/index.ts';
import { digest } from '../../platform/crypto/index.ts';
import type { Origin } from '../../platform/http/index.ts';
import { issueFurtherToken, issueTokenForKey, type LoggedIn } from '../oauth/index.ts';
import { answerWith, permissionDenied, type VaultAnswer, VaultError } from './answers.ts';
import { authOf, mustKeepTokens } from './auth-token.ts';
import { type WithinRole, withinTokenRole } from './auth-token-roles.ts';
import { isWithin, type VaultCaller } from './callers.ts';
import { cidrsIn, type Fields, flagIn, numberIn, objectIn, policiesIn, secondsIn, textIn } from './fields.ts';
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

async function created(deps: VaultDeps, { request, caller }: Called, { body, path }: WithinRole): Promise<VaultAnswer> {
  mustBeSupported(body);
  const { policies, scopes } = await narrowed(deps, caller, body);
  const limits = limitsIn(body, caller);
  const display_name = ['token', textIn(body, 'display_name')].filter(Boolean).join('-').slice(0, 200);
  const login = { display_name, path, metadata: metadataIn(body), limits, ...(policies && { policies }) };
  const wanted = { origin: request.origin, body, scopes, login };
  const made = await makerFor(caller, flagIn(body, 'no_parent') === true)(deps, caller, wanted);
  if (!made) throw permissionDenied();
  const { token, noted } = made;
  const auth = authOf({ token, noted, rights: scopes, lease_duration: noted.ttl_seconds });
  return answerWith(request.request_id, { auth });
}

type Wanted = {
  origin: Origin;
  body: Fields;
  scopes: readonly string[];
  login: Omit<ChildToken, 'scopes' | 'marks' | 'seconds'> & { limits: TokenLimits };
};
type Made = { token: string; noted: VaultToken };
type Maker = (deps: VaultDeps, caller: VaultCaller, wanted: Wanted) => Promise<Made | undefined>;

/** @throws VaultError 400, 403 */
function makerFor(caller: VaultCaller, isOrphan: boolean): Maker {
  if (isOrphan) mustKeepTokens(caller);
  if (isOrphan && caller.client_id === undefined)
    throw new VaultError(400, 'only a token from a login can create tokens without a parent');
  if (isOrphan) return makeOrphan;
  if (caller.key) return makeForKey;
  if (isAccessToken(caller.token)) return makeChild;
  throw new VaultError(400, 'a JWT creates no tokens: use an opaque access token, or log in');
}

/** The child is revoked with its parent, and with everything that its parent depends on. */
const makeChild: Maker = async (deps, { actor, token: parent }, { body, scopes, login }) => {
  const seconds = secondsOf(deps, login.limits, body);
  return createChildToken(deps, actor, { parent, child: { ...login, scopes, seconds, marks: marksOf(login.limits) } });
};

/** An API key is no access token: the new token depends on the key, and is used within its restrictions. */
const makeForKey: Maker = async (deps, { key, token }, { origin, body, scopes, login }) => {
  if (!key) return undefined;
  const left = secondsLeft(key, deps.now());
  const limits = { ...login.limits, most_seconds: Math.min(left, login.limits.most_seconds ?? left) };
  const marks = { ...marksOf(limits), vault_key: digest(token).toString('hex') };
  const request = { audience: deps.audience, origin, seconds: secondsOf(deps, limits, body), marks };
  return noted(deps, await issueTokenForKey(deps.logIn, { key, scopes }, request), { ...login, limits });
};

const makeOrphan: Maker = async (deps, { client_id = '', token }, { origin, body, scopes, login }) => {
  const parent = await findParent(deps, token);
  if (!parent) return undefined;
  const { trust_id, trust_epoch } = parent;
  const trust = trust_id === null ? undefined : { id: trust_id, epoch: trust_epoch ?? 0 };
  const seconds = secondsOf(deps, login.limits, body);
  const request = { audience: deps.audience, origin, seconds, marks: marksOf(login.limits) };
  return noted(deps, await issueFurtherToken(deps.logIn, { client_id, scopes, trust }, request), login);
};

async function noted(deps: VaultDeps, issued: LoggedIn | undefined, login: Wanted['login']): Promise<Made | undefined> {
  if (!issued) return undefined;
  const { access_token: token, issued_at, expires_at } = issued;
  const ttl_seconds = Math.floor((expires_at.getTime() - issued_at.getTime()) / 1000);
  return { token, noted: await noteVaultToken(deps, token, { ...login, ttl_seconds }) };
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
async function narrowed(deps: VaultDeps, { rights }: VaultCaller, body: Fields): Promise<Narrowed> {
  const names = policiesIn(body, 'policies');
  if (!names || names.length === 0) return { policies: undefined, scopes: rights };
  if (names.includes('root')) throw new VaultError(400, 'root tokens may not be created: there are none');
  const patterns = await Promise.all(names.map((name) => permissionsOf(deps, name)));
  const scopes = [...new Set(patterns.flat())];
  if (!contains(rights, scopes)) throw new VaultError(400, 'child policies must be subset of parent');
  if (scopes.length === 0) throw new VaultError(400, `the policies ${names.join(', ')} give no permission`);
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

const mostSeconds = 24 * 3600;

/** A child token also ends with its parent. */
function secondsOf({ tokenSeconds }: VaultDeps, { most_seconds = mostSeconds }: TokenLimits, body: Fields): number {
  const asked = secondsIn(body, 'ttl') || secondsIn(body, 'lease') || tokenSeconds;
  return Math.max(1, Math.min(asked, mostSeconds, most_seconds));
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
