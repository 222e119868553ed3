import * as cell from '../../records/cells.ts';
import type { Field } from '../../records/page-shapes.ts';
import type { Action, FormInput } from '../actions.ts';
import { asPolicy, methodsCell, narrowingField, narrowingIn } from '../sign-in-methods.ts';
import { anyMethod, apiPath, formats, getServer, openTo, type ResourceServer, requiredAcr } from './resource-server.ts';

const fieldsOf = (server?: ResourceServer): Field[] => [
  {
    name: 'name',
    label: 'Name',
    type: 'text',
    value: server?.name ?? '',
    is_required: true,
    hint: 'Shown to users on the consent page.',
  },
  {
    name: 'access_token_format',
    label: 'Token format',
    type: 'radios',
    value: server?.access_token_format ?? 'opaque',
    options: [
      { value: 'opaque', text: formats.opaque, note: 'The API asks this server about each token. Revoked at once.' },
      { value: 'jwt', text: formats.jwt, note: 'The API verifies tokens itself. Revoked by a status list.' },
    ],
  },
  {
    name: 'open_to',
    label: 'Open to',
    type: 'radios',
    value: server?.open_to ?? 'registered',
    options: [
      { value: 'registered', text: openTo.registered, note: 'Clients that you register and give its permissions.' },
      {
        value: 'documented',
        text: openTo.documented,
        note: 'For example, assistants and other MCP clients. They may ask users for the permissions marked Open.',
      },
      {
        value: 'anyone',
        text: openTo.anyone,
        note: 'No one has verified these. They may request the permissions marked Open from users.',
      },
    ],
    group: 'Advanced',
  },
  {
    name: 'needs',
    label: 'Requirements',
    type: 'choices',
    value: [server?.assignment_required && 'assignment', server?.dpop_required && 'dpop'].filter(Boolean).join('\n'),
    options: [
      { value: 'assignment', text: 'Users need a role that allows the scope' },
      { value: 'dpop', text: 'Tokens are bound to a key of the client (DPoP)' },
    ],
    group: 'Advanced',
  },
  {
    name: 'required_acr',
    label: 'Sign-in of users',
    type: 'radios',
    value: server?.required_acr ?? '',
    options: [{ value: '', text: anyMethod }, ...Object.entries(requiredAcr).map(([value, text]) => ({ value, text }))],
    group: 'Advanced',
  },
  narrowingField(server?.allowed_factors, 'the API'),
  {
    name: 'access_token_ttl_seconds',
    label: 'Token lifetime (seconds)',
    type: 'number',
    value: String(server?.access_token_ttl_seconds ?? ''),
    hint: 'Empty: the default of this server.',
    group: 'Advanced',
  },
];

function valuesIn(sent: FormInput) {
  const needs = sent.lines('needs');
  return {
    name: sent.text('name') ?? '',
    access_token_format: sent.text('access_token_format'),
    open_to: sent.text('open_to'),
    assignment_required: needs.includes('assignment'),
    dpop_required: needs.includes('dpop'),
  };
}

const creating: Action = {
  path: '/new-api',
  route: 'POST /resource-servers',
  describe: async (context) => ({
    crumb: context.crumb,
    heading: 'Register API',
    name: '',
    words: [],
    impact: [],
    fields: [
      {
        name: 'identifier',
        label: 'Identifier',
        type: 'text',
        value: '',
        is_required: true,
        hint: 'A URI such as https://api.example. Clients send it as “resource”, and it is the audience of tokens. You cannot change it later.',
      },
      ...fieldsOf(),
    ],
    button: 'Register API',
    danger: false,
    back: '/console/apis',
  }),
  perform: async ({ api }, sent) => {
    const seconds = sent.number('access_token_ttl_seconds');
    const required_acr = sent.text('required_acr');
    const body = {
      identifier: sent.text('identifier') ?? '',
      ...valuesIn(sent),
      ...(required_acr && { required_acr }),
      allowed_factors: narrowingIn(sent),
      ...(seconds !== undefined && { access_token_ttl_seconds: seconds }),
    };
    const { identifier } = await api.call('POST /resource-servers', { body });
    return { to: apiPath(identifier), done: 'registered' };
  },
};

const changing: Action = {
  path: '/apis/:identifier/change',
  route: 'PATCH /resource-servers/{identifier}',
  describe: async (context) => {
    const server = await getServer(context);
    return {
      crumb: context.crumb,
      heading: `Edit ${server.name}`,
      name: server.name,
      words: ['Changes apply to tokens that are issued from now on.'],
      impact: [],
      fields: fieldsOf(server),
      button: 'Save API',
      danger: false,
      back: apiPath(server.identifier),
      version: server.version,
      present: [
        { label: 'Name', cell: cell.text(server.name) },
        { label: 'Token format', cell: cell.text(formats[server.access_token_format]) },
        { label: 'Open to', cell: cell.text(openTo[server.open_to]) },
        { label: 'Needs a role', cell: cell.yesNo(server.assignment_required) },
        { label: 'Needs DPoP', cell: cell.yesNo(server.dpop_required) },
        { label: 'Sign-in', cell: cell.text(server.required_acr ? requiredAcr[server.required_acr] : anyMethod) },
        { label: 'Sign-in methods', cell: methodsCell(server.allowed_factors, asPolicy) },
      ],
    };
  },
  perform: async ({ api, params: { identifier = '' } }, sent) => {
    const body = {
      ...valuesIn(sent),
      required_acr: sent.text('required_acr') ?? null,
      allowed_factors: narrowingIn(sent) ?? null,
      access_token_ttl_seconds: sent.number('access_token_ttl_seconds') ?? null,
    };
    await api.call('PATCH /resource-servers/{identifier}', { params: { identifier }, body, ifVersion: sent.version });
    return { to: apiPath(identifier), done: 'saved' };
  },
};

/** Registering an API, and changing its registration. */
export const apiForms: Action[] = [creating, changing];
