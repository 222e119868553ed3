import { isJsonObject } from '../../../platform/http/index.ts';
import { rulesInHcl } from './hcl.ts';
import { mustBeCapabilities, PolicyError, type PolicyRule, ruleOf } from './rule.ts';

/**
 * The rules of a policy, which is written in HCL or JSON, or in base64 of one of them.
 *
 * @throws PolicyError, naming the line
 */
export function rulesIn(given: string): PolicyRule[] {
  const text = decoded(given);
  return text.trimStart().startsWith('{') ? rulesInJson(text) : rulesInHcl(text);
}

/** The form in which the server stores it. */
export function decoded(given: string): string {
  const trimmed = given.trim();
  const isBase64 = trimmed.length >= 8 && trimmed.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(trimmed);
  return isBase64 ? Buffer.from(trimmed, 'base64').toString() : given;
}

function rulesInJson(text: string): PolicyRule[] {
  const { path: paths, name: _, ...others } = membersOf(parsed(text), text, 'a policy');
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw new PolicyError(lineOf(text, unknown), `"${unknown}" is not supported`);
  return [paths ?? []].flat().flatMap((each) => {
    const named = Object.entries(membersOf(each, text, '"path"'));
    return named.flatMap(([path, rule]) => rulesAt(text, path, rule));
  });
}

function rulesAt(text: string, path: string, rule: unknown): PolicyRule[] {
  const line = lineOf(text, path);
  return [rule].flat().map((each) => {
    const members = membersOf(each, text, `path "${path}"`);
    for (const member of Object.keys(members)) mustBeCapabilities(member, lineOf(text, member));
    const { capabilities } = members;
    if (!Array.isArray(capabilities)) throw new PolicyError(line, `path "${path}" has no list of capabilities`);
    return ruleOf(path, capabilities, line);
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const { message } = error as Error;
    const position = Number(/position (\d+)/.exec(message)?.[1] ?? 0);
    throw new PolicyError(text.slice(0, position).split('\n').length, 'it is not JSON');
  }
}

function membersOf(value: unknown, text: string, what: string): Record<string, unknown> {
  if (isJsonObject(value)) return value;
  throw new PolicyError(lineOf(text, 'path'), `${what} must be an object`);
}

/** The line where a name first occurs. */
function lineOf(text: string, name: string): number {
  const at = text.indexOf(JSON.stringify(name));
  return text.slice(0, Math.max(at, 0)).split('\n').length;
}
