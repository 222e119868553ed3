import { PolicyError, type PolicyRule } from './rule.ts';

/** The kinds of Vault's paths under a mount. */
export const placeKinds = ['data', 'metadata', 'delete', 'undelete', 'destroy', 'kv', 'policies', 'seal'] as const;
export type PlaceKind = (typeof placeKinds)[number];

/** A part of the store that a path names. `target`: segments as in a permission; empty for the server itself. */
export type Place = { kind: PlaceKind; target: string; rule: PolicyRule };

const ofSecrets = ['data', 'metadata', 'delete', 'undelete', 'destroy'] as const;
const name = /^[A-Za-z0-9_.-]{1,64}$/;

// Paths that every token may use, or that need none.
const openPaths =
  /^(?:auth\/token\/(?:\*|create|lookup|lookup-self|renew|renew-self|revoke|revoke-self)|sys\/(?:mounts|health|seal-status|leader|capabilities|capabilities-self|internal\/ui\/.*|wrapping\/.*|leases\/.*)|cubbyhole\/.*)$/;
const policyPaths = /^sys\/(?:polic(?:y|ies\/acl)(?:\/\*)?|policies\/\*)$/;

/**
 * The places that a path of a policy names; none: it is open to everyone.
 *
 * @throws PolicyError: permissions cannot express it, or there is nothing at this path
 */
export function placesOf(rule: PolicyRule): Place[] {
  const { path } = rule;
  if (path === '*') return [...placesOf({ ...rule, path: 'secret/*' }), ...placesOf({ ...rule, path: 'sys/*' })];
  if (path === 'sys/*')
    return [
      { kind: 'policies', target: '', rule },
      { kind: 'seal', target: '', rule },
    ];
  if (openPaths.test(path)) return [];
  if (policyPaths.test(path)) return [{ kind: 'policies', target: '', rule }];
  if (path === 'sys/seal') return [{ kind: 'seal', target: '', rule }];
  const [mount, ...rest] = path.split('/');
  if (mount === 'kv') return [{ kind: 'kv', target: `kv:${targetOf(rest, rule)}`, rule }];
  if (mount === 'secret') return placesOfSecrets(rest, rule);
  if (path.startsWith('sys/polic'))
    throw new PolicyError(rule.line, `path "${path}" names one policy: write "sys/policies/acl/*"`);
  if (mount === 'auth')
    throw new PolicyError(
      rule.line,
      `path "${path}" is about roles, or tokens of others: leave it out, and give "secrets:roles" or "secrets:tokens" by another role`,
    );
  throw new PolicyError(rule.line, `there is nothing at path "${path}" here: the mounts are "secret/" and "kv/"`);
}

function placesOfSecrets([kind, ...rest]: readonly string[], rule: PolicyRule): Place[] {
  if (kind === '*' && rest.length === 0) return ofSecrets.map((each) => ({ kind: each, target: '*', rule }));
  if (kind === '+') return ofSecrets.map((each) => ({ kind: each, target: targetOf(rest, rule), rule }));
  const found = ofSecrets.find((each) => each === kind);
  if (found) return [{ kind: found, target: targetOf(rest, rule), rule }];
  const said = `path "${rule.path}" is not one of the paths of secrets: write "secret/data/…" or "secret/metadata/…"`;
  throw new PolicyError(rule.line, said);
}

/** The segments of a permission for the rest of a path. */
function targetOf(segments: readonly string[], rule: PolicyRule): string {
  const { path, line } = rule;
  const last = segments.at(-1);
  if (last === undefined || last === '')
    throw new PolicyError(line, `path "${path}" names a folder alone: write "${path.replace(/\/$/, '')}/*"`);
  if (last === '+')
    throw new PolicyError(line, `path "${path}": "+" at the end would allow everything below; write "*"`);
  const parts = segments.map((segment, n) => {
    if (segment === '+') return '*';
    if (segment === '*' && n === segments.length - 1) return '*';
    if (segment.includes('*') || segment.includes('+'))
      throw new PolicyError(
        line,
        `path "${path}": "*" and "+" stand for whole names here, such as in "secret/data/app/*"`,
      );
    if (!name.test(segment)) throw new PolicyError(line, `path "${path}": names are letters, digits, ".", "_" and "-"`);
    return segment;
  });
  return parts.join(':');
}
