import { z } from 'zod';
import { mostCharactersOfSecrets } from '../access/index.ts';

/** An action on a secret: a segment of its permission. */
export const secretVerbs = ['read', 'write', 'delete', 'destroy', 'list'] as const;
export type SecretVerb = (typeof secretVerbs)[number];

// The permission for a secret is `secrets`, the verb and the path; it has at most 16 segments and 512 characters.
const mostSegments = 14;
const longestPath = mostCharactersOfSecrets - 'secrets:destroy:'.length;
const segmentShape = /^[A-Za-z0-9_.-]{1,64}$/;
const onlyDots = /^\.+$/;

/** The error of a path; undefined: it is valid. */
export function pathProblem(path: string): string | undefined {
  const segments = path.split('/');
  if (path.length > longestPath) return `must have at most ${longestPath} characters`;
  if (segments.length > mostSegments) return `must have at most ${mostSegments} segments`;
  const wrong = segments.some((segment) => !segmentShape.test(segment) || onlyDots.test(segment));
  return wrong ? 'must be names of letters, digits, ".", "_" and "-", joined by "/", such as database/prod' : undefined;
}

/** The path of a secret; case-sensitive, without a slash at either end. */
export const SecretPath = z
  .string()
  .check((context) => {
    const message = pathProblem(context.value);
    if (message) context.issues.push({ code: 'custom', message, input: context.value });
  })
  .meta({ examples: ['database/prod'] });

/** The permission for an action on a secret (DESIGN.md §7): the folders of its path are segments. */
export function permissionFor(verb: SecretVerb, path: string): string {
  return `secrets:${verb}:${path.replaceAll('/', ':')}`;
}

/** Regular expressions for PostgreSQL that match the paths for which patterns grant `secrets:list`. */
export function listablePaths(patterns: readonly string[]): string[] {
  return patterns.flatMap((pattern) => {
    const [root, verb, ...segments] = pattern.split(':');
    if (root !== 'secrets' || (verb !== 'list' && verb !== '*')) return [];
    if (segments.length === 0) return verb === '*' ? ['^.+$'] : [];
    const parts = segments.map((segment, n) => {
      if (segment !== '*') return segment.replaceAll('.', '\\.');
      return n === segments.length - 1 ? '.+' : '[^/]+';
    });
    return [`^${parts.join('/')}$`];
  });
}

/** The permission to write roles and secret ids. */
export const rolesPermission = 'secrets:roles';

/** The permission for tokens of others, and for tokens that no other one ends. */
export const tokensPermission = 'secrets:tokens';

/** The permission to initialize, seal, rotate and rekey the store. */
export const sealPermission = 'secrets:seal';

/** The scopes of the store as a resource server, with the text of the consent page. */
export const secretsPermissions: Readonly<Record<string, string>> = {
  'secrets:list:*': 'List secrets and their versions',
  'secrets:read:*': 'Read the values of secrets',
  'secrets:write:*': 'Write secrets',
  'secrets:delete:*': 'Delete and undelete versions of secrets',
  'secrets:destroy:*': 'Destroy secrets permanently',
  'secrets:policies': 'Write policies of the store, which grant nothing that you lack',
  'secrets:policies-read': 'Read policies of the store',
  [rolesPermission]: 'Write roles of services and workloads, and secret ids, which grant nothing that you lack',
  'secrets:audit-hash': 'Get the hash of a value in the audit log',
  [tokensPermission]:
    'Look up, renew and revoke tokens of the store by their accessors, and create tokens without a parent',
  [sealPermission]: 'Initialize and seal the secrets, and rotate their key',
};
