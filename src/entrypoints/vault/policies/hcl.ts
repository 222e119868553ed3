import { mustBeCapabilities, PolicyError, type PolicyRule, ruleOf } from './rule.ts';

type Token = { kind: 'word' | 'text' | 'mark' | 'end'; text: string; line: number };

// The tokens of HCL: white space, comments, strings, words and marks, as far as policies use them.
const shapes =
  /(?<skipped>[ \t\r\n]+|#[^\n]*|\/\/[^\n]*|\/\*[\s\S]*?\*\/)|(?<text>"(?:[^"\\\n]|\\.)*")|(?<word>[A-Za-z_][\w-]*)|(?<mark>[{}[\],=:])/y;

function tokensOf(source: string): Token[] {
  const tokens: Token[] = [];
  let line = 1;
  const shape = new RegExp(shapes);
  for (let at = 0; at < source.length; at = shape.lastIndex) {
    shape.lastIndex = at;
    const { groups, 0: found = '' } = shape.exec(source) ?? {};
    if (!groups) throw new PolicyError(line, `unexpected ${JSON.stringify(source.slice(at, at + 10))}`);
    const { text, word, mark } = groups;
    if (text !== undefined) tokens.push({ kind: 'text', text: unquoted(text, line), line });
    else if (word !== undefined) tokens.push({ kind: 'word', text: word, line });
    else if (mark !== undefined) tokens.push({ kind: 'mark', text: mark, line });
    line += found.split('\n').length - 1;
  }
  return [...tokens, { kind: 'end', text: 'the end', line }];
}

function unquoted(text: string, line: number): string {
  try {
    return JSON.parse(text);
  } catch {
    throw new PolicyError(line, `${text} is not a text`);
  }
}

/** Reads the tokens of a policy one after the other. */
class Tokens {
  readonly #tokens: readonly Token[];
  #next = 0;

  constructor(source: string) {
    this.#tokens = tokensOf(source);
  }

  get current(): Token {
    return this.#tokens[this.#next] ?? { kind: 'end', text: 'the end', line: 0 };
  }

  take(kind: Token['kind'], wanted: string): Token {
    const { current } = this;
    if (current.kind !== kind) throw this.unexpected(wanted);
    this.#next += 1;
    return current;
  }

  takeMark(mark: string): void {
    if (!this.takes(mark)) throw this.unexpected(`"${mark}"`);
  }

  takes(mark: string): boolean {
    const { kind, text } = this.current;
    if (kind !== 'mark' || text !== mark) return false;
    this.#next += 1;
    return true;
  }

  unexpected(wanted: string): PolicyError {
    const { text, line } = this.current;
    return new PolicyError(line, `${wanted} expected, not ${JSON.stringify(text)}`);
  }
}

/**
 * The rules of a policy in HCL: blocks `path "…" { capabilities = ["…"] }`, and comments.
 *
 * @throws PolicyError
 */
export function rulesInHcl(source: string): PolicyRule[] {
  const tokens = new Tokens(source);
  const rules: PolicyRule[] = [];
  while (tokens.current.kind !== 'end') rules.push(ruleIn(tokens));
  return rules;
}

function ruleIn(tokens: Tokens): PolicyRule {
  const { kind, text, line } = tokens.current;
  if ((kind !== 'word' && kind !== 'text') || text !== 'path') throw tokens.unexpected('path "…" { … }');
  tokens.take(kind, 'path');
  const path = tokens.take('text', 'the path in quotes').text;
  tokens.takes('=');
  tokens.takeMark('{');
  let capabilities: string[] | undefined;
  while (!tokens.takes('}')) {
    const member = tokens.current;
    tokens.take(member.kind === 'text' ? 'text' : 'word', 'capabilities = […]');
    mustBeCapabilities(member.text, member.line);
    if (!tokens.takes('=')) tokens.takeMark(':');
    capabilities = [...(capabilities ?? []), ...listIn(tokens)];
    tokens.takes(',');
  }
  if (!capabilities) throw new PolicyError(line, `path "${path}" has no capabilities`);
  return ruleOf(path, capabilities, line);
}

function listIn(tokens: Tokens): string[] {
  const items: string[] = [];
  tokens.takeMark('[');
  while (!tokens.takes(']')) {
    items.push(tokens.take('text', 'a capability in quotes').text);
    if (tokens.takes(',')) continue;
    tokens.takeMark(']');
    break;
  }
  return items;
}
