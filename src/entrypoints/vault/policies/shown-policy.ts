import type { Policy } from '../../../domain/vault-policies/index.ts';

/** The rights of every token. */
export const defaultPolicy = `# Every token may look itself up, renew and revoke itself, and make tokens that may do no more.
path "auth/token/lookup-self" { capabilities = ["read"] }
path "auth/token/renew-self" { capabilities = ["update"] }
path "auth/token/revoke-self" { capabilities = ["update"] }
path "auth/token/create" { capabilities = ["create", "update"] }
path "sys/capabilities-self" { capabilities = ["update"] }
`;

type Shown = { paths: readonly string[]; capabilities: readonly string[] };

/** The paths of Vault's API where each verb of a permission is used, with the capabilities. */
const shownVerbs: Readonly<Record<string, readonly Shown[]>> = {
  read: [{ paths: ['secret/data'], capabilities: ['read'] }],
  write: [{ paths: ['secret/data', 'secret/metadata'], capabilities: ['create', 'update', 'patch'] }],
  delete: [
    { paths: ['secret/data'], capabilities: ['delete'] },
    { paths: ['secret/delete', 'secret/undelete'], capabilities: ['update'] },
  ],
  destroy: [
    { paths: ['secret/destroy'], capabilities: ['update'] },
    { paths: ['secret/metadata'], capabilities: ['delete'] },
  ],
  list: [{ paths: ['secret/metadata'], capabilities: ['list', 'read'] }],
};

/** The text for a role that was not written as a policy, or was changed since: its permissions as Vault's paths. */
export function shownPolicy({ name, permissions }: Policy): string {
  const capabilities = new Map<string, Set<string>>();
  const add = (path: string, given: readonly string[]) =>
    capabilities.set(path, new Set([...(capabilities.get(path) ?? []), ...given]));
  for (const permission of permissions) {
    const [, verb = '', ...target] = permission.split(':');
    const rest = pathOf(target);
    const shown = verb === '*' ? Object.values(shownVerbs).flat() : (shownVerbs[verb] ?? []);
    for (const { paths, capabilities: given } of shown) for (const path of paths) add(`${path}/${rest}`, given);
  }
  const blocks = [...capabilities].map(
    ([path, given]) => `path "${path}" {\n  capabilities = ${JSON.stringify([...given])}\n}\n`,
  );
  const granted = permissions.map((permission) => `#   ${permission}`).join('\n');
  return `# The role "${name}" gives:\n${granted}\n${blocks.join('')}`;
}

function pathOf(segments: readonly string[]): string {
  if (segments.length === 0) return '*';
  return segments.map((segment, n) => (segment === '*' && n < segments.length - 1 ? '+' : segment)).join('/');
}
