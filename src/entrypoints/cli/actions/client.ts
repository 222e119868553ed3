import { findClient } from '../../../domain/clients/index.ts';
import { countLiveTokens } from '../../../domain/tokens/index.ts';
import { invalid, notFound } from '../../../platform/http/index.ts';
import { type CommandContext, onInstallation } from './command-context.ts';
import { isConfirmed } from './input.ts';
import { answer, answerPage, columns } from './output.ts';
import { membersIn, type RegistrationOptions, registrationOptions } from './registration.ts';
import { routesOf } from './routes.ts';

type Json = { json?: boolean };
type ListOptions = Json & { type?: string; registeredBy?: string; search?: string; limit: string; cursor?: string };

const metadataOf: Record<string, Record<string, unknown>> = {
  web: {},
  spa: { token_endpoint_auth_method: 'none' },
  native: { application_type: 'native', token_endpoint_auth_method: 'none' },
  service: { grant_types: ['client_credentials'] },
};
const standardScopes = 'openid profile email offline_access';

export const create = onInstallation(
  async (place: CommandContext, client_id: string, options: RegistrationOptions & { type: string }) => {
    const { type } = options;
    const isService = type === 'service';
    if (!isService && options.redirectUri.length === 0)
      throw invalid('/redirect_uris', 'Give at least one --redirect-uri: where users are sent back to.');
    const defaults = { ...metadataOf[type], ...(!isService && { scope: standardScopes }) };
    const body = { client_id, ...defaults, ...membersIn(options, isService) };
    const made = await routesOf(place).call('POST /clients', { body });
    const { client_secret } = made;
    const shown = client_secret ? [`Client secret, shown only this once: ${client_secret}`] : [];
    answer(options, made, [`Created client ${client_id}.`, ...shown]);
  },
  registrationOptions,
);

export const list = onInstallation(async (place: CommandContext, options: ListOptions) => {
  const { type, registeredBy: registered_by, search: q, limit, cursor } = options;
  const page = await routesOf(place).call('GET /clients', { query: { type, registered_by, q, limit, cursor } });
  answerPage(options, page, {
    row: ({ client_id, type, enabled, client_name }) => [
      client_id,
      type,
      enabled ? 'enabled' : 'disabled',
      typeof client_name === 'string' ? client_name : '',
    ],
    none: 'No clients. Register one: latchkey client create --help',
  });
});

export const show = onInstallation(async (place: CommandContext, client_id: string, options: Json) => {
  const client = await routesOf(place).call('GET /clients/{client_id}', { params: { client_id } });
  answer(options, client, rowsOf(client));
});

/** One line a member. */
function rowsOf(record: Record<string, unknown>): string[] {
  const shown = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value));
  return columns(Object.entries(JSON.parse(JSON.stringify(record))).map(([name, value]) => [name, shown(value)]));
}

export const update = onInstallation(async (place: CommandContext, client_id: string, options: RegistrationOptions) => {
  const routes = routesOf(place);
  const params = { client_id };
  const { type } = await routes.call('GET /clients/{client_id}', { params });
  const body = membersIn(options, type === 'service');
  if (Object.keys(body).length === 0) throw invalid('', 'Name what to change: latchkey client update --help.');
  const client = await routes.call('PATCH /clients/{client_id}', { params, body });
  answer(options, client, [`Updated client ${client_id}: ${Object.keys(body).join(', ')}.`]);
}, registrationOptions);

export const disable = onInstallation(
  async (place: CommandContext, client_id: string, options: Json & { yes?: boolean }) => {
    const { deps } = place;
    const client = await findClient(deps.db, client_id);
    if (!client) throw notFound('client', client_id);
    const live = await countLiveTokens(deps.db, { client_id: client.id }, deps.now());
    const question = `Disable ${client_id}? It can no longer authenticate. This revokes ${live.refresh_families} refresh tokens and ${live.access_tokens} access tokens.`;
    const isDone = await isConfirmed(question, { ...options, scripts: 'continue' });
    const route = isDone ? 'POST /clients/{client_id}/disable' : 'GET /clients/{client_id}';
    const after = await routesOf(place).call(route, { params: { client_id } });
    answer(options, after, [isDone ? `Disabled client ${client_id}.` : 'Nothing changed.']);
  },
);

export const enable = onInstallation(async (place: CommandContext, client_id: string, options: Json) => {
  const body = { enabled: true };
  const client = await routesOf(place).call('PATCH /clients/{client_id}', { params: { client_id }, body });
  answer(options, client, [`Enabled client ${client_id}.`]);
});
