import type { z } from 'zod';
import { JsonLines, type RouteShape, wireSchema, wordsOf } from '../../platform/http/index.ts';

const problem = {
  type: 'object',
  required: ['type', 'title', 'status', 'detail'],
  properties: {
    type: { type: 'string', examples: ['urn:latchkey:problem:invalid'] },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string', description: 'what to do' },
    pointer: { type: 'string', description: 'JSON Pointer of the first invalid member (RFC 6901)' },
    errors: {
      type: 'array',
      items: { type: 'object', properties: { pointer: { type: 'string' }, detail: { type: 'string' } } },
    },
    permission: { type: 'string', description: 'the missing permission' },
    request_id: { type: 'string' },
  },
};

const refusals: Record<string, string> = {
  '400': 'The request is invalid; `errors` lists each invalid member',
  '401': 'No valid access token or API key for this API',
  '403': 'The caller lacks the permission named in `permission`',
  '404': 'The record does not exist',
  '409': 'The request conflicts with an existing record',
  '412': 'The record was changed since the ETag in If-Match',
  '422': 'The Idempotency-Key was used with another request body',
  '429': 'Too many requests; wait for the time in Retry-After',
  '503': 'The database cannot be reached; try again',
};

export type Described = { issuer: string; version: string; prefix: string; audience: string };

/** The routes as an OpenAPI 3.1 document, from the same schemas that parse and encode. */
export function openApi(routes: readonly RouteShape[], { issuer, version, prefix, audience }: Described): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) {
    const path = `${prefix}${route.path}`;
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route, wordsOf(route, routes)) };
  }
  const url = (path: string) => `${issuer}/oauth/${path}`;
  const scopes = Object.fromEntries(routes.map(({ permission }) => [permission, '']));
  return {
    openapi: '3.1.0',
    info: {
      title: 'Latchkey admin API',
      version,
      description: `Tokens for it have the audience ("resource") \`${audience}\`. Refusals are problem+json (RFC 9457).`,
    },
    servers: [{ url: issuer }],
    security: [{ oauth: [] }, { apiKey: [] }],
    paths,
    components: {
      schemas: { Problem: problem },
      responses: Object.fromEntries(Object.entries(refusals).map(([status, text]) => [`r${status}`, refusal(text)])),
      securitySchemes: {
        apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
        oauth: {
          type: 'oauth2',
          flows: {
            clientCredentials: { tokenUrl: url('token'), scopes },
            authorizationCode: { authorizationUrl: url('authorize'), tokenUrl: url('token'), scopes },
          },
        },
      },
    },
  };
}

function refusal(description: string) {
  const schema = { $ref: '#/components/schemas/Problem' };
  return { description, content: { 'application/problem+json': { schema } } };
}

function operation(route: RouteShape, words: readonly string[]): object {
  const { method, summary, permission, params, query, body, response, status } = route;
  const keyed =
    method === 'POST'
      ? [header('Idempotency-Key', 'requests with the same key and body within 24 hours are executed once')]
      : [];
  const matched = method === 'PATCH' ? [header('If-Match', 'the ETag this change is made from')] : [];
  const answers = Object.keys(refusals).map((code) => [code, { $ref: `#/components/responses/r${code}` }]);
  return {
    operationId: operationId(words),
    tags: words.slice(0, 1),
    summary,
    description: `Needs \`${permission}\`.`,
    security: [{ oauth: [permission] }, { apiKey: [] }],
    parameters: [...parameters('path', params), ...parameters('query', query), ...keyed, ...matched],
    ...(body && { requestBody: { required: true, content: { 'application/json': { schema: jsonSchema(body) } } } }),
    responses: {
      [status]: {
        description: response ? 'Done' : 'Done; no content',
        ...(response && { content: contentOf(response) }),
      },
      ...Object.fromEntries(answers),
    },
  };
}

function contentOf(response: z.ZodType): object {
  if (response !== JsonLines) return { 'application/json': { schema: jsonSchema(response) } };
  return { 'application/x-ndjson': { schema: { type: 'string', description: 'one JSON value per line' } } };
}

function header(name: string, description: string): object {
  return { name, in: 'header', required: false, description, schema: { type: 'string' } };
}

type ObjectSchema = { properties?: Record<string, { description?: string }>; required?: string[] };

function parameters(place: 'path' | 'query', schema: z.ZodType): object[] {
  const { properties = {}, required = [] } = jsonSchema(schema) as ObjectSchema;
  return Object.entries(properties).map(([name, { description, ...rest }]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    ...(description && { description }),
    schema: rest,
  }));
}

/** `clientsList`, `clientsSecretsRotate` …: the names in generated clients. */
function operationId(words: readonly string[]): string {
  return words.join('-').replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}

/** On the wire, a date is a string. */
function jsonSchema(schema: z.ZodType): object {
  const { $schema: _, ...rest } = wireSchema(schema);
  return rest;
}
