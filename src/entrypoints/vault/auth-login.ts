import type { VaultAuthMethod, VaultAuthRole } from '../../../db/schema.ts';
import type { Trust } from '../../domain/trusts/index.ts';
import { type AuthRole, findAuthMethod, findAuthRole } from '../../domain/vault-auth/index.ts';
import { looksLikeSecretId, takeSecretId } from '../../domain/vault-roles/index.ts';
import { noteVaultToken, type TokenLimits } from '../../domain/vault-tokens/index.ts';
import { anonymous } from '../../platform/http/index.ts';
import { issueFurtherToken, type LoggedIn, logInByAssertion, logInBySecret } from '../oauth/index.ts';
import { answerWith, type VaultAnswer, VaultError } from './answers.ts';
import { authOf } from './auth-token.ts';
import { marksOf } from './auth-token-create.ts';
import { mustComeFrom } from './callers.ts';
import { textIn } from './fields.ts';
import type { Asked, VaultDeps, VaultRoute } from './routing.ts';

/** Logins: each returns an access token for the store of secrets, like the token endpoint. */
export const loginRoutes: readonly VaultRoute[] = [
  { path: /^auth\/approle\/login$/, route: '/v1/auth/approle/login', wraps: true, open: { write: logInWithRole } },
  { path: /^auth\/jwt\/login$/, route: '/v1/auth/jwt/login', wraps: true, open: { write: byAssertion('jwt') } },
  {
    path: /^auth\/kubernetes\/login$/,
    route: '/v1/auth/kubernetes/login',
    wraps: true,
    open: { write: byAssertion('kubernetes') },
  },
];

/** After all others: a role can be called `login`. */
export const otherLoginRoutes: readonly VaultRoute[] = [
  { path: /^auth\/(.+?)\/(?:login(?:\/.+)?|oidc\/auth_url)$/, route: '/v1/auth/login', open: { write: refuseMethod } },
];

const mostSeconds = 24 * 3600;
const allOfStore = ['secrets:*'];

/** As in Vault without such a method, with a hint for people at a terminal. @throws VaultError 403 */
async function refuseMethod(_: VaultDeps, { names }: Asked): Promise<VaultAnswer> {
  const hint = 'log in with approle, jwt or kubernetes, or use an API key or an access token as the token';
  throw new VaultError(403, 'permission denied', `there is no auth method at ${names[0]}/: ${hint}`);
}

/** A role is a client, a secret id one of its secrets. */
async function logInWithRole(deps: VaultDeps, { request, body }: Asked): Promise<VaultAnswer> {
  const client_id = textIn(body, 'role_id');
  const secret = textIn(body, 'secret_id');
  if (!client_id) throw new VaultError(400, 'missing role_id');
  if (!secret) throw new VaultError(400, 'missing secret_id');
  if (looksLikeSecretId(secret)) return logInWithSecretId(deps, { request, role: client_id, secret_id: secret });
  const given = await logInBySecret(deps.logIn, { client_id, secret }, requestOf(deps, request)).catch(inVaultsWords);
  if (!given) throw new VaultError(400, 'invalid role or secret ID');
  return loggedIn(deps, { request, given, path: 'auth/approle/login', metadata: { role_name: client_id } });
}

type BySecretId = { request: Asked['request']; role: string; secret_id: string };

/** With a secret id; this counts as one use. */
async function logInWithSecretId(deps: VaultDeps, { request, role, secret_id }: BySecretId): Promise<VaultAnswer> {
  const taken = await takeSecretId(deps, { role, secret_id, address: request.address ?? '' });
  if ('refused' in taken) {
    // An unknown name is not recorded: it can be any text.
    const { refused: reason, role: known } = taken;
    const target = known === undefined ? {} : { target: { kind: 'client', id: known } };
    await deps.refusals?.record({ actor: anonymous(request.origin), action: 'client.refused', ...target, reason });
    throw new VaultError(400, 'invalid role or secret ID');
  }
  const { settings, token_bound_cidrs: bound_cidrs, metadata, policies } = taken;
  const uses = settings.token_num_uses || undefined;
  const limits = { uses, bound_cidrs, most_seconds: settings.token_max_ttl || undefined };
  const seconds = Math.min(settings.token_ttl || deps.tokenSeconds, settings.token_max_ttl || mostSeconds, mostSeconds);
  const asked = { audience: deps.audience, origin: request.origin, seconds, marks: marksOf(limits) };
  const given = await issueFurtherToken(deps.logIn, { client_id: role, scopes: allOfStore, trust: undefined }, asked);
  if (!given) throw new VaultError(400, 'invalid role or secret ID');
  const path = 'auth/approle/login';
  return loggedIn(deps, { request, given, path, metadata: { role_name: role, ...metadata }, limits, policies });
}

/**
 * A role is one that Vault's clients wrote, or another trust by its name; without one, any trust of the token's issuer is accepted, except
 * those of roles, which limit their tokens.
 */
function byAssertion(method: VaultAuthMethod) {
  return async (deps: VaultDeps, { request, body }: Asked): Promise<VaultAnswer> => {
    const assertion = textIn(body, 'jwt');
    const named = (textIn(body, 'role') || (await defaultRole(deps, method)))?.toLowerCase();
    if (!assertion) throw new VaultError(400, 'missing jwt');
    if (!named && method === 'kubernetes') throw new VaultError(400, 'missing role');
    const known = named ? await findAuthRole(deps, method, named) : undefined;
    const isMeant = ({ id, name, vault_role }: Trust) =>
      known ? id === known.trust_id : vault_role === null && (!named || name.toLowerCase() === named);
    const limits = known && limitsOf(known.role, request.address);
    const asked = { ...requestOf(deps, request), ...(known && limits && within(deps, known.role, limits)) };
    const given = await logInByAssertion(deps.logIn, { assertion, isMeant }, asked).catch(inVaultsWords);
    if (!given) throw new VaultError(403, 'permission denied');
    const { trust, subject = '', claims = {} } = given.trusted ?? {};
    const metadata = { role: known?.role.name ?? trust?.name ?? '', ...accountIn(subject), ...mapped(known, claims) };
    const login = { path: `auth/${method}/login`, metadata, policies: known?.policies };
    return loggedIn(deps, { request, given, ...login, ...(limits && { limits }) });
  };
}

async function defaultRole(deps: VaultDeps, method: VaultAuthMethod): Promise<string | undefined> {
  return method === 'jwt' ? (await findAuthMethod(deps, method))?.config.default_role : undefined;
}

/** @throws VaultError 403: a login is a use of the token, which is bound to other networks */
function limitsOf({ token_num_uses, token_max_ttl, token_bound_cidrs }: VaultAuthRole, address = ''): TokenLimits {
  const bound_cidrs = token_bound_cidrs.length > 0 ? token_bound_cidrs : undefined;
  mustComeFrom(bound_cidrs, address);
  return { uses: token_num_uses || undefined, most_seconds: token_max_ttl || undefined, bound_cidrs };
}

function within({ tokenSeconds }: VaultDeps, { token_ttl, token_max_ttl }: VaultAuthRole, limits: TokenLimits) {
  const seconds = Math.min(token_ttl || tokenSeconds, token_max_ttl || mostSeconds, mostSeconds);
  return { seconds, marks: marksOf(limits) };
}

const longestMetadata = 512;

/** The claims that a role copies to metadata. */
function mapped(known: AuthRole | undefined, claims: Readonly<Record<string, unknown>>): Record<string, string> {
  const mappings = Object.entries((known?.role.shown.claim_mappings ?? {}) as Record<string, string>);
  const said = mappings.map(
    ([claim, name]) => [name, Object.hasOwn(claims, claim) ? claims[claim] : undefined] as const,
  );
  const isPlain = (value: unknown) => ['string', 'number', 'boolean'].includes(typeof value);
  return Object.fromEntries(
    said.filter(([, value]) => isPlain(value)).map(([name, value]) => [name, String(value).slice(0, longestMetadata)]),
  );
}

/** The metadata that Kubernetes clients read. */
function accountIn(subject: string): Record<string, string> {
  const [, namespace, name] = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(subject) ?? [];
  if (!namespace || !name) return { subject };
  return { service_account_namespace: namespace, service_account_name: name };
}

const requestOf = ({ audience, tokenSeconds: seconds }: VaultDeps, { origin }: Asked['request']) => ({
  ...{ audience, origin, seconds },
});

/** @throws VaultError 429: there were too many wrong secrets; others unchanged */
function inVaultsWords(error: unknown): never {
  const { status } = error as { status?: number };
  throw status === 429 ? new VaultError(429, 'too many wrong secret IDs: wait and try again') : error;
}

type Given = {
  request: Asked['request'];
  given: LoggedIn;
  path: string;
  metadata: Record<string, string>;
  limits?: TokenLimits;
  /** Those of the role; none: the permissions are listed instead. */
  policies?: readonly string[] | undefined;
};

async function loggedIn(
  deps: VaultDeps,
  { request, given, path, metadata, limits, policies = [] }: Given,
): Promise<VaultAnswer> {
  const { access_token: token, scopes, issued_at, expires_at, client_id } = given;
  const lease_duration = Math.floor((expires_at.getTime() - issued_at.getTime()) / 1000);
  const login = {
    display_name: `${path.split('/')[1]}-${client_id}`,
    path,
    ttl_seconds: lease_duration,
    metadata,
    ...(limits && { limits }),
    ...(policies.length > 0 && { policies: ['default', ...policies] }),
  };
  const noted = await noteVaultToken(deps, token, login);
  return answerWith(request.request_id, { auth: authOf({ token, noted, rights: scopes, lease_duration }) });
}
