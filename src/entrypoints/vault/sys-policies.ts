import { allows, RoleInput } from '../../domain/access/index.ts';
import { findPolicy, listPolicies, type Policy, putPolicy, removePolicy } from '../../domain/vault-policies/index.ts';
import {
  answerAtTop,
  answerWith,
  inAdministratorsWords,
  noContent,
  notThere,
  permissionDenied,
  type VaultAnswer,
  VaultError,
} from './answers.ts';
import { type Fields, textIn } from './fields.ts';
import { type CompiledPolicy, compilePolicy } from './policies/compile.ts';
import { decoded } from './policies/policy-text.ts';
import { PolicyError } from './policies/rule.ts';
import { defaultPolicy, shownPolicy } from './policies/shown-policy.ts';
import type { Asked, Called, VaultDeps, VaultRoute } from './routing.ts';

const longest = 64 * 1024;

/** Policies, which are roles with permissions at the store; the second two for old clients. */
export const policyRoutes: readonly VaultRoute[] = [
  { path: /^sys\/policies\/acl$/, route: '/v1/sys/policies/acl', closed: { read: list, list } },
  {
    path: /^sys\/policies\/acl\/([^/]+)$/,
    route: '/v1/sys/policies/acl',
    bodyBytes: 2 * longest,
    closed: { read: readWith('policy'), write, delete: remove },
  },
  { path: /^sys\/policy$/, route: '/v1/sys/policy', closed: { read: listAtTop, list: listAtTop } },
  {
    path: /^sys\/policy\/([^/]+)$/,
    route: '/v1/sys/policy',
    bodyBytes: 2 * longest,
    closed: { read: readWith('rules'), write, delete: remove },
  },
];

const readPermission = 'secrets:policies-read';
const writePermission = 'secrets:policies';
// No token has the policy `root`: none may do everything.
const builtIn = ['default', 'root'];
const builtInTexts: Readonly<Record<string, string | undefined>> = { default: defaultPolicy, root: '' };

/** @throws VaultError 403 */
function mayRead({ caller: { rights } }: Called): void {
  if (![readPermission, writePermission].some((permission) => allows(rights, permission))) throw permissionDenied();
}

async function namesFor(deps: VaultDeps, asked: Called): Promise<string[]> {
  mayRead(asked);
  return [...new Set([...(await listPolicies(deps)), ...builtIn])].sort();
}

async function list(deps: VaultDeps, asked: Called): Promise<VaultAnswer> {
  const keys = await namesFor(deps, asked);
  return answerWith(asked.request.request_id, { data: { keys } });
}

async function listAtTop(deps: VaultDeps, asked: Called): Promise<VaultAnswer> {
  const keys = await namesFor(deps, asked);
  return answerAtTop(asked.request.request_id, { keys, policies: keys });
}

function readWith(member: 'policy' | 'rules') {
  return async (deps: VaultDeps, asked: Called): Promise<VaultAnswer> => {
    mayRead(asked);
    const name = nameIn(asked);
    const text = builtInTexts[name] ?? (await textOf(deps, name));
    if (text === undefined) throw notThere();
    const { request_id } = asked.request;
    const data = { name, [member]: text };
    return member === 'policy' ? answerWith(request_id, { data }) : answerAtTop(request_id, data);
  };
}

async function textOf(deps: VaultDeps, name: string): Promise<string | undefined> {
  const policy = await findPolicy(deps, name);
  return policy && (isAsWritten(policy) ? policy.source : shownPolicy(policy));
}

/** Whether its permissions are still those of its text: the role may have been changed. */
function isAsWritten({ source, permissions }: Policy): boolean {
  if (source === undefined) return false;
  const compiled = compilePolicy(source).permissions;
  return compiled.length === permissions.length && compiled.every((pattern) => permissions.includes(pattern));
}

/** Names of policies are in lower case, whatever a client sends. */
const nameIn = ({ names }: Asked): string => (names[0] ?? '').toLowerCase();

/** @throws VaultError 403, 400 */
function mayWrite(asked: Called, verb: 'update' | 'delete' = 'update'): string {
  const { rights, isKey } = asked.caller;
  if (!allows(rights, writePermission)) throw permissionDenied();
  if (isKey) throw new VaultError(403, 'permission denied', 'an API key cannot write policies: use an access token');
  const name = nameIn(asked);
  if (builtIn.includes(name))
    throw new VaultError(400, `cannot ${verb} ${verb === 'update' ? `"${name}"` : name} policy`);
  if (RoleInput.shape.name.safeParse(name).success) return name;
  throw new VaultError(400, 'invalid policy name: it is 1 to 64 letters, digits, ".", "_" and "-", a letter first');
}

async function write(deps: VaultDeps, asked: Called): Promise<VaultAnswer> {
  const name = mayWrite(asked);
  const source = sourceIn(asked.body);
  const { permissions, warnings } = compiled(source);
  await putPolicy(deps, asked.caller.actor, { name, source, permissions }).catch(inAdministratorsWords);
  return warnings.length > 0 ? answerWith(asked.request.request_id, { warnings }) : noContent;
}

/** @throws VaultError 400 */
function sourceIn(body: Fields): string {
  const given = textIn(body, 'policy') ?? textIn(body, 'rules');
  if (!given) throw new VaultError(400, "'policy' parameter not supplied or empty");
  if (given.length > longest) throw new VaultError(400, `a policy has at most ${longest} characters`);
  return decoded(given);
}

/** @throws VaultError 400, naming the line */
function compiled(source: string): CompiledPolicy {
  try {
    return compilePolicy(source);
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    throw new VaultError(400, `failed to parse policy: ${error.message}`);
  }
}

async function remove(deps: VaultDeps, asked: Called): Promise<VaultAnswer> {
  const name = mayWrite(asked, 'delete');
  await removePolicy(deps, asked.caller.actor, name).catch(inAdministratorsWords);
  return noContent;
}
