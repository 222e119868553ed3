/** A rule of a policy for a path. `line`: its line, from 1. */
export type PolicyRule = { path: string; capabilities: readonly string[]; line: number };

/** Why a policy is refused; its message names the line. */
export class PolicyError extends Error {
  override name = 'PolicyError';

  constructor(line: number, problem: string) {
    super(`line ${line}: ${problem}`);
  }
}

// Members that permissions cannot express.
const unsupported = new Set([
  'allowed_parameters',
  'denied_parameters',
  'required_parameters',
  'min_wrapping_ttl',
  'max_wrapping_ttl',
  'control_group',
  'mfa_methods',
  'policy',
  'pagination_limit',
  'expiration',
  'list_scan_response_keys_filter_path',
]);

const known = new Set(['create', 'read', 'update', 'patch', 'delete', 'list', 'sudo', 'deny']);

/** @throws PolicyError: it is not a member of a path, or one that permissions cannot express */
export function mustBeCapabilities(member: string, line: number): void {
  if (member === 'capabilities') return;
  const why = unsupported.has(member) ? 'permissions cannot express it' : 'it is unknown';
  throw new PolicyError(line, `"${member}" is not supported: ${why}. A path takes "capabilities" only.`);
}

/** A rule, after its path and its capabilities were checked. @throws PolicyError */
export function ruleOf(path: string, capabilities: readonly unknown[], line: number): PolicyRule {
  const wrong = capabilities.find((capability) => typeof capability !== 'string' || !known.has(capability));
  if (wrong !== undefined) throw new PolicyError(line, `path "${path}": invalid capability ${JSON.stringify(wrong)}`);
  if (path.includes('{{')) throw new PolicyError(line, `path "${path}": templates are not supported`);
  return { path: path.replace(/^\//, ''), capabilities: capabilities as string[], line };
}
