import type { VaultAuthConfig, VaultAuthMethod, VaultAuthRole } from '../../../db/schema.ts';
import { contains } from '../../domain/access/index.ts';
import {
  type AuthMethod,
  type AuthRole,
  findAuthMethod,
  findAuthRole,
  listAuthRoles,
  putAuthMethod,
  putAuthRole,
  removeAuthRole,
} from '../../domain/vault-auth/index.ts';
import { answerWith, noContent, notThere, permissionDenied, type VaultAnswer, VaultError } from './answers.ts';
import { cidrsIn, type Fields, numberIn, policiesIn, secondsIn, textIn } from './fields.ts';
import { guardedRoles } from './role-guard.ts';
import type { Asked, Called, VaultDeps, VaultRoute } from './routing.ts';

type Bounds = ReturnType<Parameters<typeof putAuthRole>[2]['boundsAt']>;

/** How an auth method of Vault's API parses requests. Each parser throws VaultError 400 for parameters that it does not support. */
export type MethodShape = {
  method: VaultAuthMethod;
  /** @param token that reviews others; it is not shown */
  configIn: (body: Fields) => { config: VaultAuthConfig; token?: string | undefined };
  shownConfig: (method: AuthMethod) => Record<string, unknown>;
  roleIn: (body: Fields) => {
    shown: Record<string, unknown>;
    boundsAt: (issuer: string) => Bounds;
    warnings: string[];
  };
};

/** The configuration and the roles of a method, which are trusts. */
export function methodRoutes(shape: MethodShape): readonly VaultRoute[] {
  const { method } = shape;
  const route = `/v1/auth/${method}`;
  const listed = { list: list(method), read: list(method) };
  return [
    {
      path: new RegExp(`^auth/${method}/config$`),
      route: `${route}/config`,
      closed: guardedRoles({ read: readConfig(shape), write: writeConfig(shape) }),
    },
    { path: new RegExp(`^auth/${method}/roles?$`), route: `${route}/role`, closed: guardedRoles(listed) },
    {
      path: new RegExp(`^auth/${method}/role/([^/]+)$`),
      route: `${route}/role`,
      closed: guardedRoles({ read: readRole(method), write: writeRole(shape), delete: removeRole(method) }),
    },
  ];
}

function readConfig({ method, shownConfig }: MethodShape) {
  return async (deps: VaultDeps, { request }: Called): Promise<VaultAnswer> => {
    const found = await findAuthMethod(deps, method);
    if (!found) throw notThere();
    return answerWith(request.request_id, { data: shownConfig(found) });
  };
}

function writeConfig({ method, configIn }: MethodShape) {
  return async (deps: VaultDeps, { body, caller }: Called): Promise<VaultAnswer> => {
    if (!contains(caller.rights, ['secrets:*'])) throw permissionDenied();
    const { config, token } = configIn(body);
    await putAuthMethod(deps, caller.actor, { method, config, token });
    return noContent;
  };
}

function list(method: VaultAuthMethod) {
  return async (deps: VaultDeps, { request }: Called): Promise<VaultAnswer> => {
    const keys = await listAuthRoles(deps, method);
    if (keys.length === 0) throw notThere();
    return answerWith(request.request_id, { data: { keys } });
  };
}

const nameIn = ({ names }: Asked): string => (names[0] ?? '').toLowerCase();

function readRole(method: VaultAuthMethod) {
  return async (deps: VaultDeps, asked: Called): Promise<VaultAnswer> => {
    const found = await findAuthRole(deps, method, nameIn(asked));
    if (!found) throw notThere();
    return answerWith(asked.request.request_id, { data: shownRole(found) });
  };
}

function shownRole({ role, policies }: AuthRole) {
  const { shown, token_ttl, token_max_ttl, token_num_uses, token_bound_cidrs } = role;
  return {
    ...{ ...shown, token_policies: policies, policies },
    ...{ token_ttl, ttl: token_ttl, token_max_ttl, max_ttl: token_max_ttl, token_num_uses, token_bound_cidrs },
    ...{ token_explicit_max_ttl: 0, token_period: 0, token_no_default_policy: false, token_type: 'default' },
  };
}

const nameShape = /^[a-z0-9][a-z0-9_.-]{0,79}$/;

function writeRole({ method, roleIn }: MethodShape) {
  return async (deps: VaultDeps, asked: Called): Promise<VaultAnswer> => {
    const name = nameIn(asked);
    if (!nameShape.test(name)) throw new VaultError(400, 'invalid role name');
    const before = await findAuthRole(deps, method, name);
    const body = { ...formerBody(before), ...withoutNulls(asked.body) };
    const { shown, boundsAt, warnings } = roleIn(body);
    const role: VaultAuthRole = { method, name, shown, ...limitsIn(body) };
    const policies = (policiesIn(body, 'token_policies') ?? policiesIn(body, 'policies') ?? []).filter(
      (policy) => policy !== 'default',
    );
    await putAuthRole(deps, asked.caller.actor, { role, policies, boundsAt });
    return warnings.length > 0 ? answerWith(asked.request.request_id, { warnings }) : noContent;
  };
}

function removeRole(method: VaultAuthMethod) {
  return async (deps: VaultDeps, asked: Called): Promise<VaultAnswer> => {
    await removeAuthRole(deps, asked.caller.actor, { method, name: nameIn(asked) });
    return noContent;
  };
}

/** Parameters that a client does not send are unchanged. */
function formerBody(before: AuthRole | undefined): Fields {
  if (!before) return {};
  const { shown, token_ttl, token_max_ttl, token_num_uses, token_bound_cidrs } = before.role;
  const limits = { token_ttl, token_max_ttl, token_num_uses, token_bound_cidrs };
  return { ...shown, ...limits, token_policies: before.policies };
}

const earlierNames: Readonly<Record<string, string>> = {
  ...{ policies: 'token_policies', ttl: 'token_ttl', max_ttl: 'token_max_ttl', num_uses: 'token_num_uses' },
  ...{ bound_cidrs: 'token_bound_cidrs', period: 'token_period' },
};

/** Members under their present names; if a client sends both, the present one is used. */
function withoutNulls(body: Fields): Fields {
  const sent = Object.entries(body).filter(([, value]) => value !== null);
  const present = sent.filter(([name]) => !(name in earlierNames));
  const renamed = sent.flatMap(([name, value]) => (earlierNames[name] ? [[earlierNames[name], value]] : []));
  return { ...Object.fromEntries(renamed), ...Object.fromEntries(present) };
}

const unsupported = ['token_period', 'token_explicit_max_ttl', 'groups_claim', 'alias_metadata'];
const longestTtl = 24 * 3600;

function limitsIn(
  body: Fields,
): Pick<VaultAuthRole, 'token_ttl' | 'token_max_ttl' | 'token_num_uses' | 'token_bound_cidrs'> {
  mustNotSet(body, unsupported);
  mustBeServiceTokens(body);
  const limits = {
    token_ttl: secondsIn(body, 'token_ttl') ?? 0,
    token_max_ttl: secondsIn(body, 'token_max_ttl') ?? 0,
    token_num_uses: numberIn(body, 'token_num_uses') ?? 0,
  };
  const negative = Object.entries(limits).find(([, value]) => value < 0);
  if (negative) throw new VaultError(400, `${negative[0]} cannot be negative`);
  const { token_ttl, token_max_ttl } = limits;
  if (token_max_ttl > 0 && token_ttl > token_max_ttl)
    throw new VaultError(400, "'token_ttl' cannot be greater than 'token_max_ttl'");
  if (token_ttl > longestTtl) throw new VaultError(400, 'token_ttl: a token lasts a day at most');
  return { ...limits, token_bound_cidrs: cidrsIn(body, 'token_bound_cidrs') ?? [] };
}

/** @throws VaultError 400: a parameter is not supported */
export function mustNotSet(body: Fields, names: readonly string[]): void {
  const isSet = (value: unknown) =>
    Boolean(value) &&
    value !== '0' &&
    value !== '0s' &&
    !(typeof value === 'object' && Object.keys(value ?? {}).length === 0);
  const set = names.find((name) => isSet(body[name]));
  if (set !== undefined) throw new VaultError(400, `${set} is not supported`);
}

const serviceTypes = ['', 'service', 'default', 'default-service'];

/** @throws VaultError 400: tokens that could be neither revoked nor renewed */
export function mustBeServiceTokens(body: Fields): void {
  const type = textIn(body, 'token_type') ?? '';
  if (!serviceTypes.includes(type)) throw new VaultError(400, `tokens of type "${type}" are not supported`);
}
