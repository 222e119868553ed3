import { allows } from '../../domain/access/index.ts';
import { describeTerm, rotateTerm, sealPermission } from '../../domain/secrets/index.ts';
import { isSetupOpen, looksLikeSetupSecret } from '../../domain/users/index.ts';
import { type Actor, anonymous, Problem } from '../../platform/http/index.ts';
import { answerAtTop, noContent, permissionDenied, type VaultAnswer, VaultError } from './answers.ts';
import { type VaultCaller, vaultCallerOf } from './callers.ts';
import { flagIn, numberIn, textIn } from './fields.ts';
import { reportedVersion, stableId } from './reported-version.ts';
import type { Asked, VaultDeps, VaultRoute } from './routing.ts';

/** The state of the vault. Reading it needs no token. */
export const sysRoutes: readonly VaultRoute[] = [
  { path: /^sys\/health$/, route: '/v1/sys/health', anyHost: true, open: { read: tellHealth } },
  { path: /^sys\/seal-status$/, route: '/v1/sys/seal-status', anyHost: true, open: { read: tellSeal } },
  { path: /^sys\/init$/, route: '/v1/sys/init', open: { read: tellInit, write: initialize } },
  { path: /^sys\/unseal$/, route: '/v1/sys/unseal', anyHost: true, open: { write: unseal } },
  { path: /^sys\/seal$/, route: '/v1/sys/seal', closed: { write: seal } },
  { path: /^sys\/rotate(?:\/keyring)?$/, route: '/v1/sys/rotate', closed: { write: rotate } },
  { path: /^sys\/key-status$/, route: '/v1/sys/key-status', closed: { read: tellTerm } },
  { path: /^sys\/leader$/, route: '/v1/sys/leader', anyHost: true, open: { read: tellLeader } },
];

const clusterOf = ({ issuer }: Pick<VaultDeps, 'issuer'>) => ({
  ...{ cluster_name: 'latchkey', cluster_id: stableId(issuer, 'cluster') },
});

async function tellHealth(deps: VaultDeps, { request }: Asked): Promise<VaultAnswer> {
  const { vault, now } = deps;
  const { initialized, sealed } = await vault.state();
  const { version } = reportedVersion(deps);
  const body = {
    ...{ initialized, sealed, standby: false, performance_standby: false, enterprise: false },
    ...{ replication_performance_mode: 'disabled', replication_dr_mode: 'disabled' },
    ...{ server_time_utc: Math.floor(now().getTime() / 1000), version, ...clusterOf(deps) },
    ...{ echo_duration_ms: 0, clock_skew_ms: 0, replication_primary_canary_age_ms: 0 },
  };
  if (!initialized) return { status: codeIn(request, 'uninitcode', 501), body };
  return { status: sealed ? codeIn(request, 'sealedcode', 503) : codeIn(request, 'activecode', 200), body };
}

/** Load balancers state the status they expect. */
function codeIn({ query }: Asked['request'], name: string, usual: number): number {
  const wanted = Number(query.get(name) ?? usual);
  return Number.isInteger(wanted) && wanted >= 200 && wanted <= 599 ? wanted : usual;
}

async function tellSeal(deps: VaultDeps): Promise<VaultAnswer> {
  const { kind: type, initialized, sealed, threshold: t, shares: n, progress, nonce } = await deps.vault.state();
  const rest = {
    ...reportedVersion(deps),
    migration: false,
    recovery_seal: false,
    ...clusterOf(deps),
    storage_type: 'postgresql',
  };
  return { status: 200, body: { type, initialized, sealed, t, n, progress, nonce, ...rest } };
}

async function tellInit({ vault }: VaultDeps): Promise<VaultAnswer> {
  const { initialized } = await vault.state();
  return { status: 200, body: { initialized } };
}

/**
 * Initializes the vault. The caller gets all shares, so this needs the permission, or the set-up secret; on the machine of a developer it
 * needs neither, as tutorials expect.
 */
async function initialize(deps: VaultDeps, { request, body }: Asked): Promise<VaultAnswer> {
  const { kind, initialized, sealed } = await deps.vault.state();
  if (kind === 'static' || (initialized && !sealed)) throw new VaultError(400, 'Vault is already initialized');
  const { actor, rootToken } = await initializerOf(deps, request);
  const shares = numberIn(body, 'secret_shares') ?? 5;
  const threshold = numberIn(body, 'secret_threshold') ?? 3;
  if (body.pgp_keys || body.root_token_pgp_key) throw new VaultError(400, 'pgp_keys are not supported');
  if (shares < 1 || shares > 255 || threshold < 1) throw new VaultError(400, 'invalid seal configuration');
  const keys = await deps.vault.initialize(actor, { shares, threshold }).catch(inVaultsWords);
  const root_token = await rootToken();
  const texts = {
    keys: keys.map((key) => key.toString('hex')),
    keys_base64: keys.map((key) => key.toString('base64')),
  };
  return { status: 200, body: { ...texts, root_token } };
}

// A page that a developer visits could also send a request to this machine; browsers name the page's origin.
const isOfDeveloper = ({ address = '', req: { headers } }: Asked['request']) =>
  (address === '::1' || address.startsWith('127.')) && headers.origin === undefined;

type Initializer = { actor: Actor; rootToken: () => Promise<string> };

/**
 * Before there is an administrator, the set-up secret suffices: its holder can become the administrator. It still works afterwards. There is
 * no token for an administrator yet.
 *
 * @throws VaultError 403
 */
async function initializerOf(deps: VaultDeps, request: Asked['request']): Promise<Initializer> {
  const { token, origin } = request;
  if (token === undefined && deps.isTutorial && isOfDeveloper(request))
    return { actor: anonymous(origin), rootToken: () => deps.tutorialToken(origin) };
  if (token !== undefined && looksLikeSetupSecret(token) && (await isSetupOpen(deps, token)))
    return { actor: anonymous(origin), rootToken: async () => '' };
  const caller = await vaultCallerOf(deps, request);
  if (!allows(caller.rights, sealPermission)) throw permissionDenied();
  return { actor: caller.actor, rootToken: async () => caller.token };
}

function inVaultsWords(error: unknown): never {
  if (!(error instanceof Problem)) throw error;
  throw new VaultError(400, error.type === 'conflict' ? 'Vault is already initialized' : error.message);
}

async function unseal(deps: VaultDeps, { request, body }: Asked): Promise<VaultAnswer> {
  const { vault } = deps;
  if (flagIn(body, 'reset')) {
    vault.resetProgress();
    return tellSeal(deps);
  }
  const key = textIn(body, 'key');
  if (!key) throw new VaultError(400, "'key' must be specified in request body as JSON, or 'reset' set to true");
  const { kind, sealed, initialized } = await vault.state();
  if (!initialized) throw new VaultError(400, 'Vault is not initialized');
  if (!sealed) return tellSeal(deps);
  if (kind === 'static') throw new VaultError(400, 'an administrator sealed the vault: latchkey vault unseal');
  await vault.takeShare(anonymous(request.origin), key).catch((error: unknown) => {
    throw error instanceof Problem && error.status === 400 ? new VaultError(400, `the key ${error.message}`) : error;
  });
  return tellSeal(deps);
}

async function seal(deps: VaultDeps, { caller }: Asked & { caller: VaultCaller }): Promise<VaultAnswer> {
  if (!allows(caller.rights, sealPermission)) throw permissionDenied();
  await deps.vault.seal(caller.actor);
  return noContent;
}

async function rotate(deps: VaultDeps, { caller }: Asked & { caller: VaultCaller }): Promise<VaultAnswer> {
  if (!allows(caller.rights, sealPermission)) throw permissionDenied();
  await rotateTerm(deps, caller.actor);
  return noContent;
}

/** `encryptions`: the number of version keys that are sealed under the term. */
async function tellTerm(deps: VaultDeps, { request }: Asked): Promise<VaultAnswer> {
  const current = await describeTerm(deps);
  if (!current) throw new VaultError(400, 'Vault is not initialized');
  const { term, created_at: install_time, versions: encryptions } = current;
  return answerAtTop(request.request_id, { term, install_time, encryptions });
}

async function tellLeader({ issuer }: VaultDeps): Promise<VaultAnswer> {
  const leader = { ha_enabled: false, is_self: true, leader_address: issuer, leader_cluster_address: '' };
  const standby = { performance_standby: false, performance_standby_last_remote_wal: 0 };
  return { status: 200, body: { ...leader, active_time: '0001-01-01T00:00:00Z', ...standby } };
}
