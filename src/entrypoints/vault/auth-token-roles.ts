import type { VaultTokenRole } from '../../../db/schema.ts';
import { findTokenRole, listTokenRoles, putTokenRole, removeTokenRole } from '../../domain/vault-tokens/index.ts';
import { answerWith, noContent, notThere, type VaultAnswer, VaultError } from './answers.ts';
import { mustBeServiceTokens, mustNotSet } from './auth-methods.ts';
import { isWithin } from './callers.ts';
import { cidrsIn, type Fields, flagIn, numberIn, policiesIn, secondsIn, textIn } from './fields.ts';
import { guardedRoles } from './role-guard.ts';
import type { Asked, Called, VaultDeps, VaultRoute } from './routing.ts';

const route = '/v1/auth/token/roles';

/** Named limits for created tokens. */
export const tokenRoleRoutes: readonly VaultRoute[] = [
  { path: /^auth\/token\/roles$/, route, closed: guardedRoles({ list, read: list }) },
  { path: /^auth\/token\/roles\/([^/]+)$/, route, closed: guardedRoles({ read, write, delete: remove }) },
];

const nameShape = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,79}$/;
const nameIn = ({ names }: Asked): string => names[0] ?? '';

async function list(deps: VaultDeps, { request }: Called): Promise<VaultAnswer> {
  const keys = await listTokenRoles(deps);
  if (keys.length === 0) throw notThere();
  return answerWith(request.request_id, { data: { keys } });
}

async function read(deps: VaultDeps, asked: Called): Promise<VaultAnswer> {
  const role = await findTokenRole(deps, nameIn(asked));
  if (!role) throw notThere();
  const data = {
    ...{ ...role, name: nameIn(asked), explicit_max_ttl: role.token_explicit_max_ttl },
    ...{ allowed_entity_aliases: null, allowed_policies_glob: [], disallowed_policies_glob: [] },
    ...{ period: 0, token_period: 0, token_type: 'default-service' },
  };
  return answerWith(asked.request.request_id, { data });
}

const unsupported = ['allowed_entity_aliases', 'allowed_policies_glob', 'disallowed_policies_glob', 'token_period'];

async function write(deps: VaultDeps, asked: Called): Promise<VaultAnswer> {
  const { body, caller } = asked;
  const name = nameIn(asked);
  if (!nameShape.test(name)) throw new VaultError(400, 'invalid role name');
  mustNotSet(body, [...unsupported, 'period']);
  mustBeServiceTokens(body);
  const given = settingsIn(body);
  await putTokenRole(deps, caller.actor, { name, change: (before) => ({ ...before, ...given }) });
  return noContent;
}

async function remove(deps: VaultDeps, asked: Called): Promise<VaultAnswer> {
  await removeTokenRole(deps, asked.caller.actor, nameIn(asked));
  return noContent;
}

/** @throws VaultError 400 */
function settingsIn(body: Fields): Partial<VaultTokenRole> {
  const suffix = textIn(body, 'path_suffix');
  if (suffix && !nameShape.test(suffix))
    throw new VaultError(400, 'given role path suffix contains invalid characters');
  const networks = body.token_bound_cidrs ?? body.bound_cidrs;
  const settings = {
    allowed_policies: policiesIn(body, 'allowed_policies'),
    disallowed_policies: policiesIn(body, 'disallowed_policies'),
    orphan: flagIn(body, 'orphan'),
    renewable: flagIn(body, 'renewable'),
    path_suffix: suffix,
    token_bound_cidrs: networks == null ? undefined : (cidrsIn({ networks }, 'networks') ?? []),
    token_explicit_max_ttl: secondsIn(body, 'token_explicit_max_ttl') ?? secondsIn(body, 'explicit_max_ttl'),
    token_no_default_policy: flagIn(body, 'token_no_default_policy'),
    token_num_uses: numberIn(body, 'token_num_uses'),
  };
  const { token_explicit_max_ttl = 0, token_num_uses = 0 } = settings;
  if (token_explicit_max_ttl < 0 || token_num_uses < 0) throw new VaultError(400, 'limits cannot be negative');
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}

/** The requested values, within the limits of a role, and the path that is stored with the token. */
export type WithinRole = { body: Fields; path: string };

/** @throws VaultError 400: there is no such role, or it does not allow a requested value */
export async function withinTokenRole(deps: VaultDeps, name: string, body: Fields): Promise<WithinRole> {
  const role = await findTokenRole(deps, name);
  if (!role) throw new VaultError(400, `unknown role ${name}`);
  const { path_suffix: suffix, token_bound_cidrs: networks } = role;
  const bound_cidrs = cidrsIn(body, 'bound_cidrs');
  if (bound_cidrs && networks.length > 0 && !isWithin(networks, bound_cidrs))
    throw new VaultError(400, `bound_cidrs must be within those of the role: ${networks.join(', ')}`);
  const limited = {
    policies: allowedPolicies(role, body),
    no_parent: role.orphan || flagIn(body, 'no_parent') === true,
    no_default_policy: role.token_no_default_policy || flagIn(body, 'no_default_policy') === true,
    renewable: role.renewable && flagIn(body, 'renewable') !== false,
    num_uses: least(role.token_num_uses, numberIn(body, 'num_uses')),
    explicit_max_ttl: least(role.token_explicit_max_ttl, secondsIn(body, 'explicit_max_ttl')),
    bound_cidrs: bound_cidrs ?? networks,
  };
  return { body: { ...body, ...limited }, path: ['auth/token/create', name, suffix].filter(Boolean).join('/') };
}

/** The lower of two limits; 0 is none. A number below 0 is returned, to be refused. */
const least = (own: number, asked = 0): number => (own > 0 && asked > 0 ? Math.min(own, asked) : asked || own);

/** If none are requested, a token has the policies that its role allows. @throws VaultError 400 */
function allowedPolicies({ allowed_policies, disallowed_policies }: VaultTokenRole, body: Fields): string[] {
  const asked = (policiesIn(body, 'policies') ?? []).filter((policy) => policy !== 'default');
  const policies = asked.length > 0 ? asked : allowed_policies;
  if (policies.length === 0 && disallowed_policies.length > 0)
    throw new VaultError(400, 'name policies: this role disallows some');
  const foreign = asked.find((policy) => allowed_policies.length > 0 && !allowed_policies.includes(policy));
  if (foreign !== undefined)
    throw new VaultError(400, `token policies (["${foreign}"]) must be subset of the role's allowed policies`);
  const disallowed = policies.find((policy) => disallowed_policies.includes(policy));
  if (disallowed !== undefined) throw new VaultError(400, `token policy "${disallowed}" is disallowed by this role`);
  return [...policies];
}
