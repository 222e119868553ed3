import { allows, intersection } from '../../domain/access/index.ts';
import {
  mayList,
  permissionFor,
  rolesPermission,
  sealPermission,
  secretVerbs,
  tokensPermission,
} from '../../domain/secrets/index.ts';
import { answerAtTop, answerWith, noContent, type VaultAnswer, VaultError } from './answers.ts';
import { type ByAccessor, scopesOf, withFound } from './auth-token-accessors.ts';
import { vaultCallerOf } from './callers.ts';
import { textIn, textsIn } from './fields.ts';
import { builtIn, stableId } from './reported-version.ts';
import type { Asked, Called, VaultDeps, VaultRoute } from './routing.ts';
import { mustKeepTuning } from './tuning.ts';

type Mount = { path: string; version: '1' | '2' };

/** `kv/` has the current versions of the secrets in the folder `kv`. */
const mounts: readonly Mount[] = [
  { path: 'secret/', version: '2' },
  { path: 'kv/', version: '1' },
];

/** Requests of Vault's clients before they read: the mounts, and the capabilities of their token. */
export const mountRoutes: readonly VaultRoute[] = [
  { path: /^sys\/mounts$/, route: '/v1/sys/mounts', closed: { read: listMounts } },
  { path: /^sys\/mounts\/(.+)\/tune$/, route: '/v1/sys/mounts', closed: { read: readTuning, write: tune } },
  {
    path: /^sys\/mounts\/(.+)$/,
    route: '/v1/sys/mounts',
    closed: { read: readMount, write: enableMount, delete: disableMount },
  },
  { path: /^sys\/remount$/, route: '/v1/sys/remount', closed: { write: refuseToMove } },
  { path: /^sys\/internal\/ui\/mounts$/, route: '/v1/sys/internal/ui/mounts', open: { read: listForUi } },
  { path: /^sys\/internal\/ui\/mounts\/(.+)$/, route: '/v1/sys/internal/ui/mounts', closed: { read: findMount } },
  {
    path: /^sys\/capabilities-self$/,
    route: '/v1/sys/capabilities-self',
    closed: { write: tellCapabilities },
  },
  {
    path: /^sys\/capabilities-accessor$/,
    route: '/v1/sys/capabilities-accessor',
    closed: { write: withFound(tellCapabilitiesOfFound) },
  },
  { path: /^sys\/capabilities$/, route: '/v1/sys/capabilities', closed: { write: tellCapabilitiesOf } },
];

function mountData(issuer: string, { path, version }: Mount) {
  return {
    accessor: `kv_${path.slice(0, -1)}`,
    config: { default_lease_ttl: 0, force_no_cache: false, max_lease_ttl: 0 },
    // Terraform would repeatedly undo a description that it did not write.
    description: '',
    external_entropy_access: false,
    local: false,
    options: { version },
    seal_wrap: false,
    type: 'kv',
    uuid: stableId(issuer, path),
    ...builtIn,
  };
}

const dataOf = (issuer: string, shown: readonly Mount[]) =>
  Object.fromEntries(shown.map((mount) => [mount.path, mountData(issuer, mount)]));

async function listMounts({ issuer }: VaultDeps, { request }: Called): Promise<VaultAnswer> {
  return answerAtTop(request.request_id, dataOf(issuer, mounts));
}

/** @throws VaultError 400: there is no such mount */
function mountIn({ names }: Called): Mount {
  const mount = mounts.find(({ path }) => path === `${names[0]}/`);
  if (!mount) throw new VaultError(400, `No secret engine mount at ${names[0]}/`);
  return mount;
}

async function readMount({ issuer }: VaultDeps, asked: Called): Promise<VaultAnswer> {
  return answerAtTop(asked.request.request_id, mountData(issuer, mountIn(asked)));
}

async function readTuning({ issuer }: VaultDeps, asked: Called): Promise<VaultAnswer> {
  const { config, description, options } = mountData(issuer, mountIn(asked));
  return answerAtTop(asked.request.request_id, { ...config, description, options });
}

/** @throws VaultError 400: Vault refuses a second mount at a path in the same way */
async function enableMount(_: VaultDeps, { names }: Called): Promise<VaultAnswer> {
  const isThere = mounts.some(({ path }) => path === `${names[0]}/`);
  if (isThere) throw new VaultError(400, `path is already in use at ${names[0]}/`);
  throw new VaultError(400, 'the mounts are secret/ (KV version 2) and kv/ (KV version 1): there are no others');
}

/** @throws VaultError 400: a change */
async function tune({ issuer }: VaultDeps, asked: Called): Promise<VaultAnswer> {
  const { config, options } = mountData(issuer, mountIn(asked));
  mustKeepTuning(asked.body, { ...config, options }, 'the mounts have no settings; each secret has its own');
  return noContent;
}

/** Vault does not tell whether there was one. @throws VaultError 400: it is always there */
async function disableMount(_: VaultDeps, { names }: Called): Promise<VaultAnswer> {
  const isThere = mounts.some(({ path }) => path === `${names[0]}/`);
  if (!isThere) return noContent;
  throw new VaultError(400, `${names[0]}/ cannot be disabled: delete its secrets`);
}

/** @throws VaultError 400 */
async function refuseToMove(): Promise<VaultAnswer> {
  throw new VaultError(400, 'mounts and auth methods cannot be moved');
}

/** Sign-in pages ask without a token: no mount is shown to them. @throws VaultError 403: the token is invalid */
async function listForUi(deps: VaultDeps, { request }: Asked): Promise<VaultAnswer> {
  const caller = request.token === undefined ? undefined : await vaultCallerOf(deps, request);
  const shown = caller ? mounts.filter((mount) => mayUse(caller.rights, mount)) : [];
  return answerWith(request.request_id, { data: { secret: dataOf(deps.issuer, shown), auth: {} } });
}

/** @throws VaultError 403: there is no such mount, or the caller has no permission there */
async function findMount({ issuer }: VaultDeps, { request, names, caller }: Called): Promise<VaultAnswer> {
  const path = `${names[0]}/`;
  const mount = mounts.find((each) => path.startsWith(each.path));
  if (!mount || !mayUse(caller.rights, mount))
    throw new VaultError(
      403,
      `preflight capability check returned 403, please ensure client's policies grant access to path "${path}"`,
    );
  return answerWith(request.request_id, { data: { path: mount.path, ...mountData(issuer, mount) } });
}

function mayUse(rights: readonly string[], { path, version }: Mount): boolean {
  const within = version === '2' ? 'secrets:*' : `secrets:*:${path.slice(0, -1)}:*`;
  return intersection(rights, [within]).length > 0;
}

async function tellCapabilities(_: VaultDeps, asked: Called): Promise<VaultAnswer> {
  return capabilitiesOf(asked, asked.caller.rights);
}

function capabilitiesOf({ request, body }: Asked, rights: readonly string[]): VaultAnswer {
  const paths = textsIn(body, 'paths') ?? textsIn(body, 'path') ?? [];
  if (paths.length === 0) throw new VaultError(400, 'paths must be supplied');
  const named = paths.map((path) => [path, capabilitiesAt(rights, path)] as const);
  const data = { ...Object.fromEntries(named), capabilities: named[0]?.[1] ?? ['deny'] };
  return answerAtTop(request.request_id, data);
}

/** The capabilities of a token that the caller may look up, by its accessor. */
async function tellCapabilitiesOfFound(_: VaultDeps, asked: Parameters<ByAccessor>[1]): Promise<VaultAnswer> {
  return capabilitiesOf(asked, scopesOf(asked.found));
}

/** The capabilities of another token, which the caller has. */
async function tellCapabilitiesOf(deps: VaultDeps, asked: Called): Promise<VaultAnswer> {
  const token = textIn(asked.body, 'token');
  if (!token) throw new VaultError(400, 'no token provided');
  const caller = await vaultCallerOf(deps, asked.request, token).catch(() => {
    throw new VaultError(400, 'invalid token');
  });
  return tellCapabilities(deps, { ...asked, caller });
}

/** Vault's capabilities for each permission, at the paths where it is used. */
const capabilities: Readonly<Record<string, Readonly<Partial<Record<(typeof secretVerbs)[number], string[]>>>>> = {
  data: { read: ['read'], write: ['create', 'patch', 'update'], delete: ['delete'] },
  metadata: { list: ['list', 'read'], write: ['create', 'patch', 'update'], destroy: ['delete'] },
  delete: { delete: ['update'] },
  undelete: { delete: ['update'] },
  destroy: { destroy: ['update'] },
  subkeys: { read: ['read'] },
  kv: { read: ['read'], write: ['create', 'update'], delete: ['delete'], list: ['list'] },
};

function capabilitiesAt(rights: readonly string[], path: string): string[] {
  const [, kind = '', name = ''] = /^secret\/(data|metadata|delete|undelete|destroy|subkeys)\/(.*)$/.exec(path) ?? [];
  const isSecret = kind !== '' || path.startsWith('kv/');
  const held = isSecret ? ofSecret(rights, kind || 'kv', kind ? name : path) : ofOther(rights, path);
  return held.length > 0 ? [...new Set(held)].sort() : ['deny'];
}

function ofSecret(rights: readonly string[], kind: string, target: string): string[] {
  return secretVerbs.flatMap((verb) => {
    const isHeld = verb === 'list' ? mayList(rights, target) : allows(rights, permissionFor(verb, target));
    return isHeld ? (capabilities[kind]?.[verb] ?? []) : [];
  });
}

const everything = ['create', 'delete', 'list', 'read', 'update'];

/** The capabilities at other paths, with the permission that each needs; undefined: every token has them. */
const others: readonly [path: RegExp, permission: string | undefined, capabilities: string[]][] = [
  [/^auth\/token\/lookup-self$/, undefined, ['read']],
  [/^auth\/token\/(?:renew|revoke)-self$/, undefined, ['update']],
  [/^auth\/token\/(?:lookup|renew|revoke)(?:-accessor)?$/, undefined, ['update']],
  [/^auth\/token\/create(?:\/|$)/, undefined, ['create', 'update']],
  [/^auth\/token\/(?:create-orphan|revoke-orphan)$/, tokensPermission, ['create', 'sudo', 'update']],
  [/^auth\/token\/accessors$/, tokensPermission, ['list', 'sudo']],
  [/^auth\/(?:approle|jwt|kubernetes)\/(?:role|config)(?:\/|$)/, rolesPermission, everything],
  [/^auth\/token\/roles(?:\/|$)/, rolesPermission, everything],
  [/^sys\/(?:policies\/acl|policy)(?:\/|$)/, 'secrets:policies', everything],
  [/^sys\/(?:policies\/acl|policy)(?:\/|$)/, 'secrets:policies-read', ['list', 'read']],
  [/^sys\/(?:auth|mounts|internal\/ui\/mounts)(?:\/|$)/, undefined, ['read']],
  [/^sys\/capabilities(?:-self|-accessor)?$/, undefined, ['update']],
  [/^sys\/wrapping\/(?:lookup|rewrap|unwrap|wrap)$/, undefined, ['update']],
  [/^sys\/(?:seal|rotate|rekey\/init)$/, sealPermission, ['sudo', 'update']],
];

const ofOther = (rights: readonly string[], path: string): string[] =>
  others.flatMap(([at, needed, given]) => (at.test(path) && (!needed || allows(rights, needed)) ? given : []));
