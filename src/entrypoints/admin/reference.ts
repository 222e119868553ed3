import type { z } from 'zod';
import { type RouteShape, wireSchema, wordsOf } from '../../platform/http/index.ts';

/** One member of what a route takes or answers. */
export type ReferenceMember = { name: string; type: string; is_required: boolean; description: string };

/** A route as the reference page shows it. */
export type Operation = {
  id: string;
  method: string;
  path: string;
  summary: string;
  permission: string;
  /** As `latchkey api` names it. */
  command: string;
  takes: ReferenceMember[];
  /** The answer as an example of its shape; absent where there is none. */
  answers: ReferenceMember[];
  status: number;
};

type Schema = {
  type?: string | string[];
  description?: string;
  enum?: unknown[];
  const?: unknown;
  format?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  anyOf?: Schema[];
  default?: unknown;
};

/** The routes for people to read, grouped by what they are about. */
export function referenceOf(
  routes: readonly RouteShape[],
  prefix: string,
): { name: string; operations: Operation[] }[] {
  const groups = new Map<string, Operation[]>();
  for (const route of routes) {
    const words = wordsOf(route, routes);
    const [noun = ''] = words;
    groups.set(noun, [...(groups.get(noun) ?? []), operation(route, { words, prefix })]);
  }
  return [...groups].map(([name, operations]) => ({ name, operations }));
}

function operation(route: RouteShape, { words, prefix }: { words: string[]; prefix: string }): Operation {
  const { method, path, summary, permission, params, query, body, response, status } = route;
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => `<${name}>`);
  return {
    id: words.join('-'),
    method,
    path: `${prefix}${path}`,
    summary,
    permission,
    command: ['latchkey api', ...words, ...names].join(' '),
    takes: [params, query, body].flatMap((schema) => (schema ? membersOf(schema) : [])),
    answers: response ? membersOf(response) : [],
    status,
  };
}

function membersOf(schema: z.ZodType): ReferenceMember[] {
  const { properties = {}, required = [] } = wireSchema(schema) as Schema;
  return Object.entries(properties).map(([name, member]) => ({
    name,
    type: typeOf(member),
    is_required: required.includes(name),
    description: [member.description, said(member)].filter(Boolean).join('; '),
  }));
}

function said({ default: standard }: Schema): string {
  return standard === undefined ? '' : `${JSON.stringify(standard)} unless given`;
}

function typeOf({ type, enum: choices, const: constant, format, items, anyOf, properties }: Schema): string {
  if (choices) return choices.map((choice) => JSON.stringify(choice)).join(' or ');
  if (constant !== undefined) return JSON.stringify(constant);
  if (anyOf) return anyOf.map(typeOf).join(' or ');
  if (type === 'array' && items) return `list of ${items.properties ? 'objects' : typeOf(items)}`;
  if (properties) return `{ ${Object.keys(properties).join(', ')} }`;
  return format && !format.startsWith('regex') ? `${type}, ${format}` : String(type ?? 'any');
}
