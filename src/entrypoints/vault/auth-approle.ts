import { isClientId } from '../../domain/clients/index.ts';
import {
  createSecretId,
  findSecretIdByAccessor,
  findVaultRole,
  listSecretIds,
  listVaultRoles,
  putVaultRole,
  removeVaultRole,
  revokeSecretId,
  type SecretId,
  type VaultRole,
} from '../../domain/vault-roles/index.ts';
import { answerWith, noContent, notThere, type VaultAnswer, VaultError } from './answers.ts';
import { mustBeServiceTokens } from './auth-methods.ts';
import { cidrsIn, type Fields, flagIn, numberIn, policiesIn, secondsIn, textIn } from './fields.ts';
import { guardedRoles } from './role-guard.ts';
import type { Asked, Called, VaultDeps, VaultRoute } from './routing.ts';

type OfNamedRole = Called & { role: VaultRole };

const rolePath = (rest: string) => new RegExp(`^auth/approle/role/([^/]+)${rest}$`);
const route = '/v1/auth/approle/role';

/** Members of a role that have a path of their own, and what a deleted one becomes. */
const properties: readonly [path: string, member: string, empty: unknown][] = [
  ['policies', 'token_policies', []],
  ['bind-secret-id', 'bind_secret_id', true],
  ['local-secret-ids', 'local_secret_ids', false],
  ['period', 'token_period', 0],
  ['secret-id-bound-cidrs', 'secret_id_bound_cidrs', []],
  ['secret-id-num-uses', 'secret_id_num_uses', 0],
  ['secret-id-ttl', 'secret_id_ttl', 0],
  ['token-bound-cidrs', 'token_bound_cidrs', []],
  ['token-max-ttl', 'token_max_ttl', 0],
  ['token-num-uses', 'token_num_uses', 0],
  ['token-ttl', 'token_ttl', 0],
];

function propertyRoute([name, member, empty]: (typeof properties)[number]): VaultRoute {
  const writing = (valueIn: (body: Fields) => unknown) =>
    ofRole((deps, asked) => {
      const value = valueIn(asked.body);
      if (value === undefined) throw new VaultError(400, `missing ${member}`);
      return write(deps, { ...asked, body: { [member]: value } });
    });
  return {
    path: rolePath(`/${name}`),
    route,
    closed: guardedRoles({
      read: ofRole(async (_, { request, role }) =>
        answerWith(request.request_id, { data: { [member]: shown(role)[member] } }),
      ),
      write: writing((body) => body[member] ?? body[member.replace(/^token_/, '')]),
      delete: writing(() => empty),
    }),
  };
}

/** Used and expired secret ids are removed by themselves. */
async function tidy(_: VaultDeps, { request }: Called): Promise<VaultAnswer> {
  return answerWith(request.request_id, { warnings: ['Expired secret ids are removed every minute.'] }, 202);
}

/** Roles of AppRole and their secret ids. */
export const appRoleRoutes: readonly VaultRoute[] = [
  { path: /^auth\/approle\/role$/, route, closed: guardedRoles({ list, read: list }) },
  { path: rolePath(''), route, closed: guardedRoles({ read: ofRole(read), write, delete: remove }) },
  { path: rolePath('/role-id'), route, closed: guardedRoles({ read: ofRole(readRoleId), write: ofRole(writeRoleId) }) },
  {
    path: rolePath('/secret-id'),
    route,
    closed: guardedRoles({ write: create, list: listIds, read: listIds }),
  },
  ...properties.map(propertyRoute),
  { path: /^auth\/approle\/tidy\/secret-id$/, route, closed: guardedRoles({ write: tidy }) },
  { path: rolePath('/custom-secret-id'), route, closed: guardedRoles({ write: refuseCustom }) },
  { path: rolePath('/secret-id/lookup'), route, closed: guardedRoles({ write: ofRole(lookUp) }) },
  {
    path: rolePath('/secret-id/destroy'),
    route,
    closed: guardedRoles({ write: ofRole(destroy), delete: ofRole(destroy) }),
  },
  { path: rolePath('/secret-id-accessor/lookup'), route, closed: guardedRoles({ write: ofRole(lookUp) }) },
  {
    path: rolePath('/secret-id-accessor/destroy'),
    route,
    closed: guardedRoles({ write: ofRole(destroy), delete: ofRole(destroy) }),
  },
];

function ofRole(handler: (deps: VaultDeps, asked: OfNamedRole) => Promise<VaultAnswer>) {
  return async (deps: VaultDeps, asked: Called): Promise<VaultAnswer> => {
    const role = await findVaultRole(deps, nameIn(asked));
    if (!role) throw notThere();
    return handler(deps, { ...asked, role });
  };
}

const nameIn = ({ names }: Asked) => names[0] ?? '';

async function list(deps: VaultDeps, { request }: Called): Promise<VaultAnswer> {
  const keys = await listVaultRoles(deps);
  if (keys.length === 0) throw notThere();
  return answerWith(request.request_id, { data: { keys } });
}

async function read(_: VaultDeps, { request, role }: OfNamedRole): Promise<VaultAnswer> {
  return answerWith(request.request_id, { data: shown(role) });
}

const shown = ({ settings, policies }: VaultRole): Record<string, unknown> => ({
  ...{ ...settings, token_policies: policies, policies, bind_secret_id: true, local_secret_ids: false },
  ...{ token_explicit_max_ttl: 0, token_no_default_policy: false, token_period: 0, token_type: 'default' },
});

async function write(deps: VaultDeps, asked: Called): Promise<VaultAnswer> {
  const { body, caller } = asked;
  const name = nameIn(asked);
  if (!isClientId(name)) throw new VaultError(400, 'invalid role name');
  if (flagIn(body, 'bind_secret_id') === false)
    throw new VaultError(
      400,
      'bind_secret_id: false is not supported: a role without a secret would be open to anyone',
    );
  for (const unsupported of ['token_period', 'period', 'role_id', 'token_explicit_max_ttl', 'local_secret_ids'])
    if (body[unsupported]) throw new VaultError(400, `${unsupported} is not supported`);
  mustBeServiceTokens(body);
  const policies = (policiesIn(body, 'token_policies') ?? policiesIn(body, 'policies'))?.filter(
    (policy) => policy !== 'default',
  );
  const given = settingsIn(body);
  await putVaultRole(deps, caller.actor, { name, policies, change: (before) => ({ ...before, ...given }) });
  return noContent;
}

const seconds = ['secret_id_ttl', 'token_ttl', 'token_max_ttl'] as const;
const numbers = ['secret_id_num_uses', 'token_num_uses'] as const;

/** @throws VaultError 400 */
function settingsIn(body: Fields): Partial<VaultRole['settings']> {
  const cidrs = {
    secret_id_bound_cidrs: networksIn(body, 'secret_id_bound_cidrs') ?? networksIn(body, 'bound_cidr_list'),
    token_bound_cidrs: networksIn(body, 'token_bound_cidrs'),
  };
  const limits = [
    ...seconds.map((name) => [name, secondsIn(body, name)] as const),
    ...numbers.map((name) => [name, numberIn(body, name)] as const),
  ];
  const negative = limits.find(([, value]) => value !== undefined && value < 0);
  if (negative) throw new VaultError(400, `${negative[0]} cannot be negative`);
  const given = [...limits, ...Object.entries(cidrs)].filter(([, value]) => value !== undefined);
  return Object.fromEntries(given);
}

/** An empty list removes the networks. @throws VaultError 400 */
const networksIn = (body: Fields, name: string): string[] | undefined =>
  body[name] == null ? undefined : (cidrsIn(body, name) ?? []);

async function remove(deps: VaultDeps, asked: Called): Promise<VaultAnswer> {
  await removeVaultRole(deps, asked.caller.actor, nameIn(asked));
  return noContent;
}

async function readRoleId(_: VaultDeps, { request, role: { name } }: OfNamedRole): Promise<VaultAnswer> {
  return answerWith(request.request_id, { data: { role_id: name } });
}

/** The id of a role is its name. @throws VaultError 400 */
async function writeRoleId(_: VaultDeps, { body, role: { name } }: OfNamedRole): Promise<VaultAnswer> {
  if (textIn(body, 'role_id') === name) return noContent;
  throw new VaultError(400, 'the role_id of a role is its name, and cannot be changed');
}

async function create(deps: VaultDeps, asked: Called): Promise<VaultAnswer> {
  const { request, body, caller } = asked;
  const uses = numberIn(body, 'num_uses');
  if (uses !== undefined && uses < 0) throw new VaultError(400, 'num_uses cannot be negative');
  if (!(await findVaultRole(deps, nameIn(asked)))) throw new VaultError(404, `role "${nameIn(asked)}" does not exist`);
  const { secret_id, stored } = await createSecretId(deps, caller.actor, {
    role: nameIn(asked),
    uses,
    ttl_seconds: secondsIn(body, 'ttl'),
    bound_cidrs: cidrsIn(body, 'cidr_list'),
    token_bound_cidrs: cidrsIn(body, 'token_bound_cidrs'),
    metadata: metadataIn(body),
  });
  const data = {
    secret_id,
    secret_id_accessor: stored.accessor,
    secret_id_num_uses: stored.uses ?? 0,
    secret_id_ttl: stored.ttl_seconds ?? 0,
  };
  return answerWith(request.request_id, { data });
}

/** @throws VaultError 400: a secret id that a caller chooses could be guessed */
async function refuseCustom(): Promise<VaultAnswer> {
  throw new VaultError(400, 'secret ids are generated: write to secret-id');
}

/** JSON as a text, as in Vault, or an object. @throws VaultError 400 */
function metadataIn({ metadata }: Fields): Record<string, string> {
  // Terraform sends an empty text for none.
  const given = typeof metadata === 'string' && metadata !== '' ? parsed(metadata) : metadata || {};
  const isFlat =
    typeof given === 'object' &&
    given !== null &&
    Object.entries(given).every(
      ([name, value]) => name.length <= 128 && typeof value === 'string' && value.length <= 512,
    );
  if (isFlat && Object.keys(given).length <= 64) return given as Record<string, string>;
  throw new VaultError(400, 'metadata must be a JSON object of at most 64 short texts');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function listIds(deps: VaultDeps, asked: Called): Promise<VaultAnswer> {
  const found = await listSecretIds(deps, nameIn(asked));
  if (!found || found.length === 0) throw notThere();
  return answerWith(asked.request.request_id, { data: { keys: found.map(({ accessor }) => accessor) } });
}

/** The secret id that a body names, by itself or by its accessor. @throws VaultError 400 */
function findNamed(deps: VaultDeps, body: Fields, role: string): Promise<SecretId | undefined> {
  const accessor = textIn(body, 'secret_id_accessor');
  const secret_id = textIn(body, 'secret_id');
  if (accessor) return findSecretIdByAccessor(deps, { role, accessor });
  if (secret_id) return findSecretIdByAccessor(deps, { role, secret_id });
  throw new VaultError(400, 'missing secret_id');
}

async function lookUp(deps: VaultDeps, { request, body, role }: OfNamedRole): Promise<VaultAnswer> {
  const found = await findNamed(deps, body, role.name);
  if (!found && body.secret_id) return noContent;
  if (!found) throw notThere();
  const data = {
    cidr_list: found.bound_cidrs ?? [],
    creation_time: found.created_at,
    expiration_time: found.expires_at ?? '0001-01-01T00:00:00Z',
    last_updated_time: found.last_used_at ?? found.created_at,
    metadata: found.metadata,
    secret_id_accessor: found.accessor,
    secret_id_num_uses: found.uses_left ?? 0,
    secret_id_ttl: found.ttl_seconds ?? 0,
    token_bound_cidrs: found.token_bound_cidrs ?? [],
  };
  return answerWith(request.request_id, { data });
}

async function destroy(deps: VaultDeps, { body, caller, role }: OfNamedRole): Promise<VaultAnswer> {
  const found = await findNamed(deps, body, role.name);
  if (found) await revokeSecretId(deps, caller.actor, { role: role.name, secret: found });
  return noContent;
}
