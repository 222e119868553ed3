import { invalid, type Problem } from '../../../../platform/http/index.ts';
import * as cell from '../../records/cells.ts';
import type { Field } from '../../records/page-shapes.ts';
import { linesIn } from '../../records/rights-lines.ts';
import type { Action, FormInput } from '../actions.ts';
import { apiPath, getServer, type ResourceServer } from './resource-server.ts';

type Scope = ResourceServer['scopes'][number];
const marks = ['default', 'optional', 'sensitive'] as const;

/** A scope as one line: `orders:write Change your orders [optional] [sensitive]`. */
function scopeLine(scope: Scope): string {
  const set = marks.filter((mark) => scope[mark]).map((mark) => `[${mark}]`);
  return [scope.name, ...(scope.description ? [scope.description] : []), ...set].join(' ');
}

function scopeIn(line: string): Scope {
  const set = [...line.matchAll(/\[([^\]]*)\]/g)].map(([, mark = '']) => mark);
  const unknown = set.find((mark) => !marks.some((each) => each === mark));
  if (unknown !== undefined) throw unreadable(`[${unknown}]`);
  const [name = '', ...words] = line
    .replaceAll(/\[[^\]]*\]/g, ' ')
    .trim()
    .split(/\s+/);
  const [isDefault, optional, sensitive] = marks.map((mark) => set.includes(mark));
  return {
    name,
    ...(words.length > 0 && { description: words.join(' ') }),
    default: isDefault ?? false,
    optional: optional ?? false,
    sensitive: sensitive ?? false,
  };
}

function unreadable(mark: string): Problem {
  const detail = `A scope can be marked [default], [optional] and [sensitive], but not ${mark.slice(0, 40)}.`;
  return invalid('/scopes', detail);
}

const fieldsOf = (server?: ResourceServer): Field[] => [
  {
    name: 'name',
    label: 'Name',
    type: 'text',
    value: server?.name ?? '',
    is_required: true,
    hint: 'What people read when an app asks them.',
  },
  {
    name: 'access_token_format',
    label: 'Its tokens are',
    type: 'select',
    value: server?.access_token_format ?? 'opaque',
    options: [
      { value: 'opaque', text: 'opaque: asked about here, dead the moment they are revoked' },
      { value: 'jwt', text: 'JWTs: verified by the API itself' },
    ],
  },
  {
    name: 'scopes',
    label: 'Scopes',
    type: 'textarea',
    value: server?.scopes.map(scopeLine).join('\n') ?? '',
    hint: 'One a line: its name, then what people read, then how it is marked, such as orders:write Change your orders [optional] [sensitive]. [default] is given when nothing is asked.',
  },
];

const valuesIn = (sent: FormInput) => ({
  name: sent.text('name') ?? '',
  access_token_format: sent.text('access_token_format'),
  scopes: linesIn(sent.text('scopes')).map(scopeIn),
});

const making: Action = {
  path: '/new-api',
  route: 'POST /resource-servers',
  describe: async (context) => ({
    crumb: context.crumb,
    heading: 'Which API should be protected?',
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
        hint: 'A URI that stays, such as https://api.example: clients name it as “resource”, tokens as their audience.',
      },
      ...fieldsOf(),
    ],
    button: 'Register the API',
    danger: false,
    back: '/console/apis',
  }),
  perform: async ({ api }, sent) => {
    const body = { identifier: sent.text('identifier') ?? '', ...valuesIn(sent) };
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
      heading: 'Change',
      name: server.name,
      words: ['It counts from the next request on. Clients can no longer ask for a scope that you take out.'],
      impact: [],
      fields: fieldsOf(server),
      button: 'Save the API',
      danger: false,
      back: apiPath(server.identifier),
      version: server.version,
      present: [
        { label: 'Name', cell: cell.text(server.name) },
        { label: 'Its tokens are', cell: cell.text(server.access_token_format) },
        { label: 'Scopes', cell: cell.codes(server.scopes.map(scopeLine), 'none') },
      ],
    };
  },
  perform: async ({ api, params: { identifier = '' } }, sent) => {
    const given = { params: { identifier }, body: valuesIn(sent), ifVersion: sent.version };
    await api.call('PATCH /resource-servers/{identifier}', given);
    return { to: apiPath(identifier), done: 'saved' };
  },
};

/** Registering an API, and changing its registration. */
export const apiForms: Action[] = [making, changing];
