import { invalid, notFound, Problem } from '../../../../platform/http/index.ts';
import * as cell from '../../records/cells.ts';
import type { Field, Panel } from '../../records/page-shapes.ts';
import type { Action, FormInput } from '../actions.ts';
import { allowedActions, type RequestContext } from '../request-context.ts';
import { apiPath, getServer, type ResourceServer } from './resource-server.ts';

type Scope = ResourceServer['scopes'][number];

const route = 'PATCH /resource-servers/{identifier}';

const marks = {
  default: { text: 'Default', note: 'Granted when a request names no scope' },
  optional: { text: 'Optional', note: 'Users may decline it' },
  sensitive: { text: 'Sensitive', note: 'Marked as risky on the consent page' },
  open: { text: 'Open', note: 'Clients that you did not register can request it, if the API is open to them' },
} as const;
const markNames = ['default', 'optional', 'sensitive', 'open'] as const;

/** The permissions of an API, one a row, each with its actions. */
export function scopesPanel(context: RequestContext, { identifier, scopes, built_in }: ResourceServer): Panel {
  const mayEdit = !built_in && context.api.may(route);
  const path = `${apiPath(identifier)}/scopes`;
  const rows = scopes.map((scope) => [
    cell.code(scope.name),
    cell.text(scope.description ?? ''),
    cell.text(markNames.flatMap((mark) => (scope[mark] ? [marks[mark].text] : [])).join(', ')),
    mayEdit
      ? cell.menu(scope.name, [
          { label: 'Edit', href: `${path}/${encodeURIComponent(scope.name)}/change`, danger: false },
          { label: 'Remove', href: `${path}/${encodeURIComponent(scope.name)}/remove`, danger: true },
        ])
      : cell.text(''),
  ]);
  return {
    heading: 'Permissions',
    intro: 'The scopes that clients may request for it.',
    content: {
      kind: 'table',
      columns: ['Scope', 'Description for users', 'Marks', ''].map((label) => ({ label })),
      rows,
      empty: 'No permissions yet. Add one so that clients can request it.',
    },
    actions: built_in
      ? []
      : allowedActions(context, [{ route, label: 'Add permission', href: `${path}/add`, danger: false }]),
  };
}

const wordFields = (scope?: Scope): Field[] => [
  {
    name: 'description',
    label: 'Description for users',
    type: 'text',
    value: scope?.description ?? '',
    hint: 'Shown on the consent page, such as “Read your orders”.',
  },
  {
    name: 'marks',
    label: 'Marks',
    type: 'choices',
    value: markNames.filter((mark) => scope?.[mark]).join('\n'),
    options: markNames.map((value) => ({ value, ...marks[value] })),
  },
];

function scopeIn(name: string, sent: FormInput): Scope {
  const set = sent.lines('marks');
  const description = sent.text('description');
  return {
    name,
    ...(description && { description }),
    default: set.includes('default'),
    optional: set.includes('optional'),
    sensitive: set.includes('sensitive'),
    open: set.includes('open'),
  };
}

const framed = ({ identifier, name, version }: ResourceServer, { crumb }: RequestContext) => ({
  crumb,
  name,
  back: apiPath(identifier),
  version,
  impact: [],
  present: [],
});

type Change = { scopes: Scope[]; version: number | undefined };

async function saveScopes({ api, params: { identifier = '' } }: RequestContext, { scopes, version }: Change) {
  await api.call(route, { params: { identifier }, body: { scopes }, ifVersion: version });
  return { to: apiPath(identifier), done: 'saved' };
}

const adding: Action = {
  path: '/apis/:identifier/scopes/add',
  route,
  describe: async (context) => {
    const server = await getServer(context);
    return {
      ...framed(server, context),
      heading: `Add a permission to ${server.name}`,
      words: [],
      fields: [
        {
          name: 'scope',
          label: 'Scope',
          type: 'text',
          value: '',
          is_required: true,
          hint: 'For example, orders:read. Clients request it by this name; you cannot change it later.',
        },
        ...wordFields(),
      ],
      button: 'Add permission',
      danger: false,
    };
  },
  perform: async (context, sent) => {
    const { scopes } = await getServer(context);
    const name = sent.text('scope') ?? '';
    if (scopes.some((scope) => scope.name === name))
      throw invalid(
        '/scope',
        'This API already has a permission with this name. Edit that one, or choose another name.',
      );
    const added = [...scopes, scopeIn(name, sent)];
    return saveScopes(context, { scopes: added, version: sent.version }).catch(besideScope);
  },
};

/** A refusal of the last scope of the list is shown beside the field it was typed in. */
function besideScope(error: unknown): never {
  if (!(error instanceof Problem) || !error.options.pointer?.startsWith('/scopes')) throw error;
  throw invalid('/scope', error.message);
}

async function scopeOf(context: RequestContext) {
  const server = await getServer(context);
  const { scope: name = '' } = context.params;
  const scope = server.scopes.find((each) => each.name === name);
  if (!scope) throw notFound('scope', name);
  return { server, scope };
}

const changing: Action = {
  path: '/apis/:identifier/scopes/:scope/change',
  route,
  describe: async (context) => {
    const { server, scope } = await scopeOf(context);
    return {
      ...framed(server, context),
      heading: `Edit ${scope.name}`,
      words: ['Changes apply from the next request.'],
      fields: wordFields(scope),
      button: 'Save permission',
      danger: false,
    };
  },
  perform: async (context, sent) => {
    const { server, scope } = await scopeOf(context);
    const scopes = server.scopes.map((each) => (each === scope ? scopeIn(scope.name, sent) : each));
    return saveScopes(context, { scopes, version: sent.version });
  },
};

const removing: Action = {
  path: '/apis/:identifier/scopes/:scope/remove',
  route,
  describe: async (context) => {
    const { server, scope } = await scopeOf(context);
    return {
      ...framed(server, context),
      heading: `Remove ${scope.name} from ${server.name}?`,
      words: [
        'Clients can no longer request it, and it is missing from tokens that are issued or introspected from now on. JWT access tokens that name it stay valid until they expire.',
      ],
      fields: [],
      button: 'Remove 1 permission',
      danger: true,
    };
  },
  perform: async (context, sent) => {
    const { server, scope } = await scopeOf(context);
    return saveScopes(context, { scopes: server.scopes.filter((each) => each !== scope), version: sent.version });
  },
};

/** The actions on the permissions of an API. */
export const scopeActions: Action[] = [adding, changing, removing];
