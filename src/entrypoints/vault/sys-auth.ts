import { answerAtTop, noContent, type VaultAnswer, VaultError } from './answers.ts';
import { objectIn, textIn } from './fields.ts';
import { builtIn, stableId } from './reported-version.ts';
import { mayWriteRoles } from './role-guard.ts';
import type { Asked, Called, VaultDeps, VaultRoute } from './routing.ts';
import { mustKeepTuning } from './tuning.ts';

/** All auth methods, each at the path of its type. */
const methods = ['approle', 'jwt', 'kubernetes', 'token'];

/** Requests of clients before they configure auth methods. All are enabled, each at the path of its type. */
export const authListRoutes: readonly VaultRoute[] = [
  { path: /^sys\/auth$/, route: '/v1/sys/auth', closed: { read: list } },
  {
    path: /^sys\/(?:auth|mounts\/auth)\/(.+)\/tune$/,
    route: '/v1/sys/auth',
    closed: { read: readTuning, write: tune },
  },
  {
    path: /^sys\/(?:auth|mounts\/auth)\/(.+)$/,
    route: '/v1/sys/auth',
    closed: { read, write: enable, delete: disable },
  },
];

const config = {
  default_lease_ttl: 3600,
  max_lease_ttl: 24 * 3600,
  force_no_cache: false,
  token_type: 'default-service',
};

const described = ({ issuer }: Pick<VaultDeps, 'issuer'>, type: string) => ({
  // Terraform would repeatedly undo a description that it did not write.
  ...{ accessor: `auth_${type}_latchkey`, config, description: '', local: false },
  ...{ external_entropy_access: false, options: {}, seal_wrap: false, type },
  ...{ uuid: stableId(issuer, `auth/${type}/`), ...builtIn },
});

async function list(deps: VaultDeps, { request }: Called): Promise<VaultAnswer> {
  return answerAtTop(
    request.request_id,
    Object.fromEntries(methods.map((type) => [`${type}/`, described(deps, type)])),
  );
}

/** Terraform takes an auth method for deleted by these words. @throws VaultError 400: there is no such method */
function typeIn({ names }: Asked): string {
  const [type = ''] = names;
  if (!methods.includes(type)) throw new VaultError(400, `No auth engine at ${type}/`);
  return type;
}

async function read(deps: VaultDeps, asked: Called): Promise<VaultAnswer> {
  return answerAtTop(asked.request.request_id, described(deps, typeIn(asked)));
}

const hint = 'roles have token_ttl, token_max_ttl and other limits of their own';

/** @throws VaultError 403; 400: there is no such method, it is not at this path, or it would have settings */
async function enable(_: VaultDeps, asked: Called): Promise<VaultAnswer> {
  mayWriteRoles(asked);
  const [at = ''] = asked.names;
  const type = textIn(asked.body, 'type');
  if (type === undefined || type !== at || !methods.includes(at))
    throw new VaultError(400, `auth methods are ${methods.join(', ')}, each at the path of its type`);
  mustKeepTuning(objectIn(asked.body, 'config') ?? {}, { ...config, options: {} }, hint);
  return noContent;
}

/** Vault does not tell whether there was one. @throws VaultError 403; 400: it is always enabled */
async function disable(_: VaultDeps, asked: Called): Promise<VaultAnswer> {
  mayWriteRoles(asked);
  const [at = ''] = asked.names;
  if (!methods.includes(at)) return noContent;
  throw new VaultError(400, `${at} cannot be disabled: delete its roles`);
}

async function readTuning(deps: VaultDeps, asked: Called): Promise<VaultAnswer> {
  const { description } = described(deps, typeIn(asked));
  return answerAtTop(asked.request.request_id, { ...config, description });
}

/** @throws VaultError 403; 400: a change */
async function tune(_: VaultDeps, asked: Called): Promise<VaultAnswer> {
  mayWriteRoles(asked);
  typeIn(asked);
  mustKeepTuning(asked.body, { ...config, options: {} }, hint);
  return noContent;
}
