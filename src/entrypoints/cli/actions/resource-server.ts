import { type CommandContext, onInstallation } from './command-context.ts';
import { answer, answerPage } from './output.ts';
import { methodsIn } from './registration.ts';
import { routesOf } from './routes.ts';
import type { OptionNames } from './usage.ts';

type Json = { json?: boolean };
type CreateOptions = Json & {
  name?: string;
  scope: string[];
  format: string;
  assignmentRequired?: boolean;
  allow?: string;
  openTo: string;
  open: string[];
};
type ListOptions = Json & { search?: string; limit: string; cursor?: string };

/** The options of a registration's members. */
const createOptions: OptionNames = {
  identifier: '<identifier>',
  access_token_format: '--format',
  scopes: '--scope',
  open_to: '--open-to',
  allowed_factors: '--allow',
};

export const create = onInstallation(async (place: CommandContext, identifier: string, options: CreateOptions) => {
  const { name = identifier, scope, format, assignmentRequired: assignment_required = false, openTo, open } = options;
  const named = scope.map((text) => {
    const [first = '', ...rest] = text.split('=');
    return { name: first, open: open.includes(first), ...(rest.length > 0 && { description: rest.join('=') }) };
  });
  // A scope that is only named as open is declared, too.
  const others = open.filter((each) => !named.some((known) => known.name === each));
  const scopes = [...named, ...others.map((each) => ({ name: each, open: true }))];
  const allowed = options.allow === undefined ? null : methodsIn(options.allow);
  const body = {
    ...{ identifier, name, access_token_format: format, assignment_required, open_to: openTo, scopes },
    ...(allowed && { allowed_factors: allowed }),
  };
  const made = await routesOf(place).call('POST /resource-servers', { body });
  answer(options, made, [`Registered API ${identifier}.`]);
}, createOptions);

export const list = onInstallation(async (place: CommandContext, options: ListOptions) => {
  const { search: q, limit, cursor } = options;
  const page = await routesOf(place).call('GET /resource-servers', { query: { q, limit, cursor } });
  answerPage(options, page, {
    row: ({ identifier, access_token_format, enabled, scopes }) => [
      identifier,
      access_token_format,
      enabled ? 'enabled' : 'disabled',
      scopes.map(({ name }) => name).join(' '),
    ],
    none: 'No APIs. Register one: latchkey resource-server create --help',
  });
});

export const show = onInstallation(async (place: CommandContext, identifier: string, options: Json) => {
  const api = await routesOf(place).call('GET /resource-servers/{identifier}', { params: { identifier } });
  answer(options, api, [
    `${api.name} (${api.identifier}), ${api.enabled ? 'enabled' : 'disabled'}, ${api.access_token_format} tokens`,
    ...(api.open_to === 'registered' ? [] : [`open to: ${api.open_to}`]),
    ...api.scopes.map(({ name, description, open }) =>
      `  ${name}  ${open ? '(open) ' : ''}${description ?? ''}`.trimEnd(),
    ),
  ]);
});
