import * as cell from '../../records/cells.ts';
import type { Cell, Fact, Panel } from '../../records/page-shapes.ts';
import { apiPath } from '../resource-servers/resource-server.ts';
import { asPolicy, methodsCell } from '../sign-in-methods.ts';
import { trustPath } from '../trusts/trust.ts';
import { pathOfSubject } from '../users/user.ts';
import { type Client, clientPath, originOf } from './client.ts';

const texts = (value: unknown) => (Array.isArray(value) ? value.map(String) : []);

const grantTypes: Readonly<Record<string, string>> = {
  authorization_code: 'Authorization code',
  refresh_token: 'Refresh token',
  client_credentials: 'Client credentials',
  'urn:ietf:params:oauth:grant-type:device_code': 'Device code',
  'urn:ietf:params:oauth:grant-type:token-exchange': 'Token exchange',
};

/** A client's registration, in short. */
export function configurationFacts(client: Client): Fact[] {
  if (client.trust_id !== null) return workloadFacts(client, client.trust_id);
  const { grant_types, token_endpoint_auth_method, redirect_uris, allowed_cors_origins } = client;
  const grants = texts(grant_types).map((each) => grantTypes[each] ?? each);
  return [
    ...(client.registered_by === 'operator' ? [] : [{ label: 'Registered by', cell: cell.text(originOf(client)) }]),
    { label: 'Grant types', cell: cell.text(grants.join(', ') || 'None') },
    { label: 'Authentication', cell: cell.code(String(token_endpoint_auth_method ?? 'none')) },
    ...listed('Redirect URIs', redirect_uris),
    ...listed('CORS origins', allowed_cors_origins),
    ...(client.allowed_factors
      ? [{ label: 'Sign-in methods', cell: methodsCell(client.allowed_factors, asPolicy) }]
      : []),
    { label: 'Consent', cell: cell.text(client.first_party ? 'Not asked: first-party' : 'Asked') },
    ...lifetimeFacts(client),
  ];
}

/** A workload has no registration of its own. */
const workloadFacts = (client: Client, trust_id: string): Fact[] => [
  { label: 'Registered by', cell: cell.link(originOf(client), trustPath(trust_id)) },
  { label: 'Authentication', cell: cell.text('Token of its issuer') },
  ...lifetimeFacts(client),
];

const listed = (label: string, value: unknown): Fact[] =>
  texts(value).length > 0 ? [{ label, cell: cell.codes(texts(value)) }] : [];

function lifetimeFacts({ lifetimes }: Client): Fact[] {
  const { access_token, refresh_token_idle, refresh_token_absolute } = lifetimes;
  const named = {
    'Access token': access_token,
    'Refresh token, unused': refresh_token_idle,
    'Refresh token': refresh_token_absolute,
  };
  return Object.entries(named).flatMap(([label, seconds]) =>
    seconds === undefined ? [] : [{ label, cell: cell.text(cell.duration(seconds)) }],
  );
}

/** What a client may request, for users and for itself. */
export function permissionPanels(client: Client): Panel[] {
  const { scope, resources, service_permissions, introspects } = client;
  const identity = typeof scope === 'string' ? scope.split(' ') : [];
  const rows = (rights: Record<string, string[]>) =>
    Object.entries(rights).map(([api, patterns]) => [cell.link(api, apiPath(api)), cell.codes(patterns)]);
  const columns = [{ label: 'API' }, { label: 'Permissions' }];
  return [
    ...(['service', 'workload'].includes(client.type)
      ? []
      : [
          {
            heading: 'On behalf of users',
            intro: 'The permissions that it may ask users for.',
            content: {
              kind: 'table',
              columns,
              rows: rows(resources),
              empty: 'None: it cannot ask for access to an API.',
            },
          } satisfies Panel,
          {
            heading: 'User data',
            content: { kind: 'facts', facts: [{ label: 'Scopes', cell: cell.codes(identity) }] },
          } satisfies Panel,
        ]),
    {
      heading: 'For itself',
      intro: `The permissions in its own tokens, from ${client.type === 'workload' ? 'its trust' : 'the client credentials grant'}.`,
      content: { kind: 'table', columns, rows: rows(service_permissions), empty: 'None.' },
    },
    ...(introspects.length > 0
      ? [
          {
            heading: 'Introspection',
            content: { kind: 'facts', facts: [{ label: 'Tokens for', cell: cell.codes(introspects) }] },
          } satisfies Panel,
        ]
      : []),
  ];
}

export function ownerCell({ owner }: Client): Cell {
  if (!owner) return cell.text('None');
  if ('client_id' in owner) return cell.link(owner.client_id, clientPath(owner.client_id));
  return cell.link(owner.user, pathOfSubject(owner.user));
}
