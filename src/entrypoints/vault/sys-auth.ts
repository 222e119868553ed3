import { answerAtTop, noContent, notThere, type VaultAnswer, VaultError } from './answers.ts';
import { textIn } from './fields.ts';
import { mayWriteRoles } from './role-guard.ts';
import type { Asked, Called, VaultDeps, VaultRoute } from './routing.ts';

/** All auth methods, each at the path of its type. */
const methods = ['approle', 'jwt', 'kubernetes', 'token'];

const path = (rest: string) => new RegExp(`^sys/(?:auth|mounts/auth)/([^/]+)/?${rest}$`);

/** Requests of clients before they configure auth methods. All are enabled, each at the path of its type. */
export const authListRoutes: readonly VaultRoute[] = [
  { path: /^sys\/auth$/, route: '/v1/sys/auth', closed: { read: list } },
  { path: path(''), route: '/v1/sys/auth', closed: { read, write: enable, delete: disable } },
  { path: path('tune'), route: '/v1/sys/auth', closed: { read: readTuning, write: tune } },
];

const config = {
  default_lease_ttl: 3600,
  max_lease_ttl: 24 * 3600,
  force_no_cache: false,
  token_type: 'default-service',
};

const described = (type: string) => ({
  // Terraform would repeatedly undo a description that it did not write.
  ...{ accessor: `auth_${type}_latchkey`, config, description: '', local: false },
  ...{ external_entropy_access: false, options: {}, seal_wrap: false, type, uuid: '' },
});

async function list(_: VaultDeps, { request }: Called): Promise<VaultAnswer> {
  return answerAtTop(request.request_id, Object.fromEntries(methods.map((type) => [`${type}/`, described(type)])));
}

/** @throws VaultError 404 */
function typeIn({ names }: Asked): string {
  const [type = ''] = names;
  if (!methods.includes(type)) throw notThere();
  return type;
}

async function read(_: VaultDeps, asked: Called): Promise<VaultAnswer> {
  return answerAtTop(asked.request.request_id, described(typeIn(asked)));
}

/** @throws VaultError 403; 400: there is no such method, or it is not at this path */
async function enable(_: VaultDeps, asked: Called): Promise<VaultAnswer> {
  mayWriteRoles(asked);
  const [at = ''] = asked.names;
  const type = textIn(asked.body, 'type');
  if (type !== undefined && type === at && methods.includes(at)) return noContent;
  throw new VaultError(400, `auth methods are ${methods.join(', ')}, each at the path of its type`);
}

async function disable(_: VaultDeps, asked: Called): Promise<VaultAnswer> {
  mayWriteRoles(asked);
  throw new VaultError(400, `${typeIn(asked)} cannot be disabled: delete its roles`);
}

async function readTuning(_: VaultDeps, asked: Called): Promise<VaultAnswer> {
  const { description } = described(typeIn(asked));
  return answerAtTop(asked.request.request_id, { ...config, description });
}

/** @throws VaultError 400: times are set by roles */
async function tune(_: VaultDeps, asked: Called): Promise<VaultAnswer> {
  mayWriteRoles(asked);
  throw new VaultError(400, `auth/${typeIn(asked)} cannot be tuned: roles have token_ttl and token_max_ttl`);
}
