import { invalid } from '../../../../platform/http/index.ts';
import type { Condition, RoleMapping, ShownCondition, ShownRoleMapping } from './trust.ts';

const begins = ' begins with ';

/**
 * A condition as one line: `sub begins with repo:acme/shop`, `ref = refs/heads/main | refs/heads/next`. One that only a newer version knows
 * is shown as it is.
 */
export function conditionLine(condition: ShownCondition): string {
  const { claim, equals, one_of, prefix, ...others }: Record<string, unknown> = condition;
  const isKnown = Object.keys(others).length === 0;
  if (isKnown && prefix !== undefined) return `${claim}${begins}${prefix}`;
  const values = Array.isArray(one_of) ? one_of : equals;
  return isKnown && values !== undefined ? `${claim} = ${[values].flat().join(' | ')}` : JSON.stringify(condition);
}

/**
 * Conditions as lines, one a line.
 *
 * @throws Problem `invalid` at the field: a line is invalid
 */
export function conditionsIn(lines: readonly string[], field: string): Condition[] {
  return lines.map((line) => {
    const condition = conditionIn(line);
    if (condition) return condition;
    const detail = `Enter one condition per line, such as “ref = refs/heads/main” or “sub begins with repo:acme/shop”. This line is neither: ${line.slice(0, 80)}`;
    throw invalid(`/${field}`, detail);
  });
}

const gives = ' -> ';

/** A role mapping as one line: `groups = admins -> administrator`. */
export function mappingLine({ role, ...condition }: ShownRoleMapping): string {
  return `${conditionLine(condition)}${gives}${role}`;
}

/**
 * Role mappings as lines, one a line.
 *
 * @throws Problem `invalid` at the field: a line is invalid
 */
export function mappingsIn(lines: readonly string[], field: string): RoleMapping[] {
  return lines.map((line) => {
    // A value may contain the arrow, the name of a role cannot.
    const at = line.lastIndexOf(gives);
    const condition = at < 0 ? undefined : conditionIn(line.slice(0, at).trim());
    const role = line.slice(at + gives.length).trim();
    if (condition && role) return { ...condition, role };
    const detail = `Enter one role mapping per line, such as “groups = admins | operators -> reader”. This line is not one: ${line.slice(0, 80)}`;
    throw invalid(`/${field}`, detail);
  });
}

function conditionIn(line: string): Condition | undefined {
  const begun = /^(\S+)\s+begins with\s+(.+)$/.exec(line);
  if (begun) return { claim: begun[1] ?? '', prefix: begun[2] ?? '' };
  const exact = /^(\S+?)\s*=\s*(.+)$/.exec(line);
  if (!exact) return undefined;
  const [claim = '', values = ''] = exact.slice(1);
  const named = values.split(' | ').map((value) => value.trim());
  return named.length === 1 ? { claim, equals: named[0] ?? '' } : { claim, one_of: named };
}
