import { LRUCache } from 'lru-cache';
import type { z } from 'zod';
import type { Problem } from '../../platform/http/index.ts';
import { ambiguous, single } from './credentials.ts';
import { extAuthzShape, forwardAuthPath, type GatewayRequest } from './gateway-request.ts';
import { type DescribedBy, OriginalRequest, originalRequest } from './original-request.ts';
import { AcrValues, MaxAge } from './schemas.ts';
import { permissionTemplate, type Template, template } from './templates.ts';

const none = '-';

/** The requirements of the proxy's configuration, and the request that it describes. */
export type Question = {
  request: OriginalRequest;
  permissions: readonly Template[];
  resource: string | undefined;
  cost: string | undefined;
  /** How its user must have authenticated, and at most how many seconds ago. */
  acr_values: string | undefined;
  max_age: number | undefined;
  describedBy: DescribedBy | undefined;
  /** Whether CORS preflights pass without a credential. */
  admitsPreflight: boolean;
  /** Names and values. */
  parameters: readonly (readonly [string, Template])[];
};

// Proxies send the same few queries all the time. Anyone may send others: the cached data of each is small.
const queries = new LRUCache<string, Omit<Question, 'request'>>({ max: 1000, memoMethod: queryIn });
const longestKept = 1000;
const mostTemplates = 20;

/** The question of a proxy. @throws Problem 400 */
export function questionIn(asked: GatewayRequest): Question {
  if (asked.path === forwardAuthPath) return fromQuery(asked);
  const [, permission = none, resource = none, path = '/'] = extAuthzShape.exec(asked.path) ?? [];
  // Here the client chooses the query.
  return {
    request: new OriginalRequest(asked.req.headers, { method: asked.method, uri: path }),
    permissions: [...(permission === none ? [] : [permissionTemplate(decoded(permission))]), ...fromHeader(asked)],
    resource: resource === none ? undefined : decoded(resource),
    cost: undefined,
    acr_values: undefined,
    max_age: undefined,
    describedBy: undefined,
    // Envoy answers or forwards preflights itself, and here the client states the method.
    admitsPreflight: false,
    parameters: [],
  };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw ambiguous('The address is not percent-encoded UTF-8.');
  }
}

function fromQuery(asked: GatewayRequest): Question {
  const { querystring } = asked;
  const configured = querystring.length <= longestKept ? queries.memo(querystring) : queryIn(querystring);
  const { permissions: named } = configured;
  const added = fromHeader(asked);
  const permissions = added.length === 0 ? named : [...named, ...added];
  return { ...configured, request: originalRequest(asked, configured.describedBy), permissions };
}

/** @throws Problem 400: it requires too much, or something unknown */
function queryIn(querystring: string): Omit<Question, 'request'> {
  const query = new URLSearchParams(querystring);
  const parameters: [string, Template][] = [];
  for (const [name, value] of query) {
    if (name.startsWith(parameterPrefix) && name !== parameterPrefix)
      parameters.push([name.slice(parameterPrefix.length), template(value)]);
    else if (!queryNames.has(name)) throw unknownName(name);
    if (name !== 'permission' && query.getAll(name).length > 1)
      throw ambiguous(`Give ${shown(name)} once in the query.`);
    if (value === '' && !name.startsWith(parameterPrefix)) throw ambiguous(`${shown(name)} in the query has no value.`);
  }
  const permissions = query.getAll('permission');
  if (parameters.length + permissions.length > mostTemplates) throw tooMuch();
  return {
    permissions: permissions.map(permissionTemplate),
    resource: query.get('resource') ?? undefined,
    cost: query.get('cost') ?? undefined,
    acr_values: parsed(AcrValues, 'acr_values', query.get('acr_values')),
    max_age: parsed(MaxAge, 'max_age', query.get('max_age'), Number),
    admitsPreflight: oneOf(query, 'preflight', ['allow']) === 'allow',
    describedBy: oneOf(query, 'described-by', ['x-original', 'x-forwarded']),
    parameters,
  };
}

const parameterPrefix = 'parameter.';
const queryNames: ReadonlySet<string> = new Set([
  ...['permission', 'resource', 'cost', 'acr_values', 'max_age', 'preflight', 'described-by'],
]);

/** The query is the proxy's configuration: a mistyped one would require less than its operator intended. */
function unknownName(name: string): Problem {
  const known = [...queryNames, `${parameterPrefix}NAME`].join(', ');
  return ambiguous(`The query names ${shown(name)}, which is unknown. The known names are ${known}.`);
}

const longestShown = 64;
const shown = (name: string) => `"${name.slice(0, longestShown)}"`;

/** @throws Problem 400: it has another value */
function parsed<Value>(
  schema: z.ZodType<Value>,
  name: string,
  text: string | null,
  read = (said: string): unknown => said,
) {
  if (text === null) return undefined;
  const { success, data, error } = schema.safeParse(read(text));
  if (!success) throw ambiguous(`${name} in the query ${error.issues[0]?.message}.`);
  return data;
}

/** @throws Problem 400: it has another value */
function oneOf<Value extends string>(
  query: URLSearchParams,
  name: string,
  values: readonly Value[],
): Value | undefined {
  const said = query.get(name);
  const value = values.find((each) => each === said);
  if (said !== null && value === undefined)
    throw ambiguous(`${name} must be ${values.map(shown).join(' or ')}, or be omitted.`);
  return value;
}

/** A proxy may add permissions in a header; a client that sends it only restricts itself. */
function fromHeader(asked: GatewayRequest): readonly Template[] {
  const given = single(asked, 'x-latchkey-permission');
  if (given === undefined) return [];
  const permissions = given.split(' ').filter(Boolean);
  if (permissions.length > mostTemplates) throw tooMuch();
  return permissions.map(permissionTemplate);
}

const tooMuch = () => ambiguous(`Ask for ${mostTemplates} permissions and parameters at most.`);
