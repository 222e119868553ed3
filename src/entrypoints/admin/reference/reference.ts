import type { z } from 'zod';
import { type RouteShape, wireSchema, wordsOf } from '../../../platform/http/index.ts';
import { requestExample, responseExample, valueExample } from './examples.ts';
import { membersOf, type ReferenceMember, type Schema } from './schema.ts';

/** A route as the reference shows it. */
export type Operation = {
  id: string;
  method: string;
  path: string;
  summary: string;
  permission: string;
  /** Its name in `latchkey api`. */
  command: string;
  /** Its inputs: in the path, in its query, and as a body. */
  parameters: ReferenceMember[];
  query: ReferenceMember[];
  body: ReferenceMember[];
  answers: ReferenceMember[];
  status: number;
  /** An example for a shell, with the token in `TOKEN`. */
  curl: string;
  /** Its request body; undefined: it has none. */
  request_example: unknown;
  /** A response as JSON; undefined: it has none. */
  response_example: string | undefined;
};

export type OperationGroup = { name: string; operations: Operation[] };

/** The routes for readers, grouped by subject. @param issuer the server of the examples */
export function referenceOf(
  routes: readonly RouteShape[],
  { prefix, issuer }: { prefix: string; issuer: string },
): OperationGroup[] {
  const groups = new Map<string, Operation[]>();
  for (const route of routes) {
    const words = wordsOf(route, routes);
    const [noun = ''] = words;
    groups.set(noun, [...(groups.get(noun) ?? []), operation(route, { words, prefix, issuer, routes })]);
  }
  return [...groups].map(([name, operations]) => ({ name, operations }));
}

/** The operations whose descriptions contain all of these words, in their groups. */
export function searchReference(groups: readonly OperationGroup[], q: string): OperationGroup[] {
  const words = q.toLowerCase().split(/\s+/).filter(Boolean);
  const isFound = ({ id, method, path, summary, permission }: Operation) => {
    const said = `${id} ${method} ${path} ${summary} ${permission}`.toLowerCase();
    return words.every((word) => said.includes(word));
  };
  return groups
    .map(({ name, operations }) => ({ name, operations: operations.filter(isFound) }))
    .filter(({ operations }) => operations.length > 0);
}

type OperationContext = { words: string[]; prefix: string; issuer: string; routes: readonly RouteShape[] };

function operation(route: RouteShape, { words, prefix, issuer, routes }: OperationContext): Operation {
  const { method, path, summary, permission, response, status } = route;
  const [params, query, body] = [route.params, route.query, route.body].map(schemaOf);
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => `<${name}>`);
  const request_example = body && requestExample(words.join('-'), body);
  const answer = schemaOf(response);
  const address = `${issuer}${prefix}${filledPath(path, params ?? {})}`;
  return {
    id: words.join('-'),
    method,
    path: `${prefix}${path}`,
    summary,
    permission,
    command: ['latchkey api', ...words, ...names].join(' '),
    parameters: membersOf(params ?? {}),
    query: membersOf(query ?? {}),
    body: body?.properties ? membersOf(body) : patchedMembers(route, routes),
    answers: membersOf(answer ?? {}),
    status,
    curl: curlOf(method, address, request_example),
    request_example,
    response_example: answer && JSON.stringify(responseExample(answer), null, 2),
  };
}

/** A merge patch (RFC 7396) has the members that a record is created with, each of them optional. */
function patchedMembers({ method, path, body }: RouteShape, routes: readonly RouteShape[]): ReferenceMember[] {
  if (method !== 'PATCH' || !body) return [];
  const collection = path.slice(0, path.lastIndexOf('/'));
  const creating = routes.find((each) => each.method === 'POST' && each.path === collection);
  const members = membersOf(schemaOf(creating?.body) ?? {});
  return members.map((member) => (member.level === 0 ? { ...member, is_required: false } : member));
}

function schemaOf(schema: z.ZodType | undefined): Schema | undefined {
  return schema && (wireSchema(schema) as Schema);
}

function filledPath(path: string, { properties = {} }: Schema): string {
  return path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(valueExample(name, properties[name] ?? { type: 'string' })),
  );
}

function curlOf(method: string, address: string, body: unknown): string {
  const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
  const lines = [
    `curl ${method === 'GET' ? '' : `-X ${method} `}${quoted(address)}`,
    `  -H "Authorization: Bearer $TOKEN"`,
    ...(body === undefined
      ? []
      : [`  -H 'Content-Type: application/json'`, `  -d ${quoted(JSON.stringify(body, null, 2))}`]),
  ];
  return lines.join(' \\\n');
}
