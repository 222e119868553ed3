import { isJsonObject } from '../../../platform/http/index.ts';
import type { Schema } from './schema.ts';

const id = '0198c5c9-7c1e-7a3b-9f2d-4b8e6a1c5d70';

/** A member's name determines its example better than its type. */
const named: Readonly<Record<string, unknown>> = {
  access_token: 600,
  action: 'client.updated',
  actor: id,
  address: '203.0.113.7',
  audience: 'https://api.example.com',
  client: 'billing',
  client_id: 'billing',
  client_name: 'Billing',
  cursor: 'eyJpZCI6IjAxOThjNWM5In0',
  description: 'Reads invoices',
  email: 'alice@example.com',
  environment: 'prod',
  events: ['client.*'],
  exported_as: 'platform-admins',
  for: ['invoices:read'],
  from: '2026-11-01T00:00:00Z',
  handle: { user: 'alice' },
  identifier: 'https://api.example.com',
  ip_allowlist: ['203.0.113.0/24'],
  issuer: 'https://id.example.com',
  kid: 'Zx3fK9tQ2mB7',
  key: 'sk_prod_…',
  label: 'ci',
  mailed_to: 'alice@example.com',
  name: 'Billing',
  owner: { user: 'alice' },
  password: 'a long passphrase',
  pattern: 'invoices:read',
  permission: 'invoices:read',
  prefix: 'sk_prod_4fT9',
  q: 'bill',
  redirect_uri: 'https://app.example.com/callback',
  redirect_uris: ['https://app.example.com/callback'],
  request_id: '4f6c1f0e9b7d4a2c',
  resource: 'https://api.example.com',
  resource_server: 'https://api.example.com',
  role: 'auditor',
  scope: 'openid profile',
  secret: 'whsec_…',
  session_id: 'q7Xk2mB9tZ4f',
  subject: 'alice',
  tag: 'team-billing',
  tags: ['team-billing'],
  target: 'billing',
  target_kind: 'client',
  time_zone: 'UTC',
  to: '2026-12-01T00:00:00Z',
  token: 'lk_at_…',
  url: 'https://hooks.example.com/latchkey',
  user: 'alice',
  user_agent: 'curl/8.5.0',
  username: 'alice',
};

const permission = { pattern: 'invoices:read', resource: 'https://api.example.com' };

/** Bodies whose common case no rule produces, by the operation's id. */
const requests: Readonly<Record<string, unknown>> = {
  'clients-create': {
    client_id: 'billing',
    client_name: 'Billing',
    redirect_uris: ['https://app.example.com/callback'],
    scope: 'openid profile email',
    resources: { 'https://api.example.com': ['invoices:read'] },
  },
  'clients-update': { client_name: 'Billing', owner: { user: 'alice' } },
  'resource-servers-create': {
    identifier: 'https://api.example.com',
    name: 'Billing API',
    scopes: [{ name: 'invoices:read', description: 'Read your invoices' }],
  },
  'resource-servers-update': { name: 'Billing API', assignment_required: true },
  'roles-create': { name: 'auditor', description: 'Reads invoices', permissions: [permission] },
  'roles-update': { permissions: [permission] },
  'users-create': { username: 'alice', email: 'alice@example.com', name: 'Alice Example', invite: true },
  'users-update': { name: 'Alice Example' },
  'api-keys-create': {
    name: 'Nightly export',
    environment: 'prod',
    owner: { client_id: 'billing' },
    permissions: [permission],
    expires_in_days: 90,
  },
  'api-keys-update': { description: 'Exports invoices every night' },
  'webhooks-create': { url: 'https://hooks.example.com/latchkey', events: ['client.*'] },
  'webhooks-update': { events: ['client.*', 'api_key.*'] },
};

const formats: Readonly<Record<string, string>> = {
  'date-time': '2026-12-01T09:30:00Z',
  email: 'alice@example.com',
  uri: 'https://api.example.com',
  uuid: id,
};

const mostLevels = 5;
const fewMembers = 2;

/** An example of a route's response: every member that is not deprecated. */
export function responseExample(schema: Schema): unknown {
  return exampleOf('', schema, 0);
}

/** An example of an operation's input: required members and, if they are few, the first optional ones. */
export function requestExample(operation_id: string, schema: Schema): unknown {
  if (requests[operation_id]) return requests[operation_id];
  const { properties = {}, required = [] } = schema;
  const members = Object.entries(properties).filter(([, { deprecated }]) => !deprecated);
  const needed = members.filter(([name]) => required.includes(name));
  const optional = members.filter(([name]) => !required.includes(name));
  const shown = [...needed, ...optional.slice(0, Math.max(0, fewMembers - needed.length))];
  return Object.fromEntries(shown.map(([name, member]) => [name, exampleOf(name, member, 1)]));
}

/** The value of one member, for an address. */
export function valueExample(name: string, schema: Schema): string {
  return String(exampleOf(name, schema, 1));
}

function exampleOf(name: string, schema: Schema, level: number): unknown {
  const { examples, enum: choices, const: constant, anyOf, default: standard, format = '' } = schema;
  if (examples && examples.length > 0) return examples[0];
  if (constant !== undefined) return constant;
  if (choices) return choices[0];
  if (isFitting(named[name], schema)) return named[name];
  if (standard !== undefined && standard !== null) return standard;
  const [first] = anyOf?.filter(({ type }) => type !== 'null') ?? [];
  if (first) return exampleOf(name, first, level);
  return formats[format] ?? ofType(name, schema, level);
}

function ofType(name: string, { type, properties, items, minimum = 1 }: Schema, level: number): unknown {
  if (type === 'array') return items && level < mostLevels ? [exampleOf(name, items, level + 1)] : [];
  if (type === 'boolean') return true;
  if (type === 'integer' || type === 'number') return Math.max(minimum, 1);
  if (type === 'null') return null;
  if (type !== 'object') return type === 'string' ? 'text' : {};
  if (level >= mostLevels) return {};
  const members = Object.entries(properties ?? {}).filter(([, { deprecated }]) => !deprecated);
  return Object.fromEntries(members.map(([member, each]) => [member, exampleOf(member, each, level + 1)]));
}

/** The same name is a number here and a text there. */
function isFitting(value: unknown, { type, anyOf, format = '', properties }: Schema): boolean {
  if (value === undefined || properties) return false;
  if (anyOf) return anyOf.some((each) => isFitting(value, each) || (each.type === 'object' && isJsonObject(value)));
  if (Array.isArray(value)) return type === 'array';
  if (isJsonObject(value)) return type === undefined;
  if (typeof value === 'number') return type === 'integer' || type === 'number';
  if (format === 'uuid') return value === id;
  return type === 'string' && (format === 'date-time') === isTime(value);
}

const isTime = (value: unknown) => typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value);
