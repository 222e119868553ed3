import { type CommandContext, onInstallation } from './command-context.ts';
import { answer, answerPage } from './output.ts';
import { routesOf } from './routes.ts';
import type { OptionNames } from './usage.ts';

type Json = { json?: boolean };
type CreateOptions = Json & { name?: string; scope: string[]; format: string; assignmentRequired?: boolean };
type ListOptions = Json & { search?: string; limit: string; cursor?: string };

/** How the members of a registration are typed. */
const createOptions: OptionNames = {
  identifier: '<identifier>',
  access_token_format: '--format',
  scopes: '--scope',
};

export const create = onInstallation(async (place: CommandContext, identifier: string, options: CreateOptions) => {
  const { name = identifier, scope, format, assignmentRequired = false } = options;
  const scopes = scope.map((text) => {
    const [first = '', ...rest] = text.split('=');
    return { name: first, ...(rest.length > 0 && { description: rest.join('=') }) };
  });
  const body = { identifier, name, access_token_format: format, assignment_required: assignmentRequired, scopes };
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
    ...api.scopes.map(({ name, description }) => `  ${name}  ${description ?? ''}`.trimEnd()),
  ]);
});
