import { Command, Option } from 'commander';
import {
  addClientSecret,
  type Client,
  ClientInput,
  createClient,
  disableClient,
  findClient,
  listEveryClient,
  SecretInput,
} from '../../domain/clients/index.ts';
import { Risk } from '../../domain/credentials/index.ts';
import { defaultSigningAlg, signingAlgs } from '../../domain/signing-keys/index.ts';
import { countLiveTokens } from '../../domain/tokens/index.ts';
import { invalid, notFound } from '../../platform/http/index.ts';
import { command, onInstallation, type Workplace } from './command.ts';
import { Days, isConfirmed, parsed, readSecret } from './input.ts';
import { answer, columns } from './output.ts';
import type { OptionNames } from './usage.ts';

type CreateOptions = {
  json?: boolean;
  type: string;
  name?: string;
  redirectUri: string[];
  scope?: string;
  resource: string[];
  introspects: string[];
  corsOrigin: string[];
  firstParty?: boolean;
  idTokenAlg?: string;
  claimsInIdToken: boolean;
  ownerUser?: string;
  ownerClient?: string;
  risk?: string;
};
type SecretOptions = { json?: boolean; label?: string; expiresInDays?: string; secretStdin?: boolean };

const metadataOf: Record<string, Record<string, unknown>> = {
  web: {},
  spa: { token_endpoint_auth_method: 'none' },
  native: { application_type: 'native', token_endpoint_auth_method: 'none' },
  service: { grant_types: ['client_credentials'] },
};

/** How the members of a registration are typed. */
const createOptions: OptionNames = {
  client_id: '<client-id>',
  client_name: '--name',
  redirect_uris: '--redirect-uri',
  resources: '--resource',
  service_permissions: '--resource',
  allowed_cors_origins: '--cors-origin',
  id_token_signed_response_alg: '--id-token-alg',
};

const repeated = (value: string, values: string[]) => [...values, value];

/** `latchkey client …` */
export function clientCommand(): Command {
  const client = new Command('client').description('applications and services');
  client
    .addCommand(createCommand())
    .addCommand(command('list', 'list the clients').action(onInstallation(list)))
    .addCommand(
      command('disable', 'stop a client: it can no longer authenticate, all its tokens end')
        .argument('<client-id>')
        .option('--yes', 'do not ask')
        .action(onInstallation(disable)),
    )
    .addCommand(
      command('add-secret', 'add a secret beside the present ones, made and shown once')
        .argument('<client-id>')
        .option('--label <label>', 'what it is for')
        .option('--expires-in-days <days>', 'when it stops working')
        .option('--secret-stdin', 'take this one from standard input instead of making one')
        .action(onInstallation(addSecret)),
    );
  return client;
}

function createCommand(): Command {
  return command('create', 'register a client; what more there is to say of one, "latchkey apply" takes')
    .argument('<client-id>')
    .addOption(new Option('--type <type>', 'what it is').choices(Object.keys(metadataOf)).default('web'))
    .option('--name <name>', 'shown to people')
    .option('--redirect-uri <uri>', 'where people are sent back to; may be repeated', repeated, [])
    .option('--scope <scopes>', 'OpenID Connect scopes it may ask for, e.g. "openid profile email"')
    .option(
      '--resource <identifier=scopes>',
      'an API and what it may ask for there, e.g. "https://api.example=read write"; may be repeated',
      repeated,
      [],
    )
    .option(
      '--introspects <identifier>',
      'an API it is, or acts for: it may introspect the tokens of that API; may be repeated',
      repeated,
      [],
    )
    .option(
      '--cors-origin <origin>',
      'an origin whose pages may call the OAuth endpoints as this client, e.g. "capacitor://localhost"; may be repeated',
      repeated,
      [],
    )
    .option('--owner-user <user>', 'the user who is responsible for it: a username, or id:…, username:… or email:…')
    .option('--owner-client <client-id>', 'the client that is responsible for it')
    .addOption(
      new Option('--risk <risk>', 'how long its secrets last by default: 30, 90 or 180 days').choices(Risk.options),
    )
    .option('--first-party', 'people are not asked for consent')
    .option('--no-claims-in-id-token', 'ID tokens identify the user only; userinfo has name, e-mail address and groups')
    .addOption(
      new Option(
        '--id-token-alg <algorithm>',
        `signature algorithm of its ID tokens (default: "${defaultSigningAlg}")`,
      ).choices(signingAlgs),
    )
    .action(onInstallation(create, createOptions));
}

async function create({ deps, actor }: Workplace, client_id: string, options: CreateOptions): Promise<void> {
  const isService = options.type === 'service';
  if (!isService && options.redirectUri.length === 0)
    throw invalid('/redirect_uris', 'Give at least one --redirect-uri: where people are sent back to.');
  const resources = Object.fromEntries(options.resource.map(resourceOption));
  const input = parsed(
    ClientInput,
    {
      client_id,
      ...metadataOf[options.type],
      ...(options.name && { client_name: options.name }),
      ...(!isService && {
        redirect_uris: options.redirectUri,
        scope: options.scope ?? 'openid profile email offline_access',
      }),
      ...(isService ? { service_permissions: resources } : { resources }),
      ...(options.introspects.length > 0 && { introspects: options.introspects }),
      ...(options.corsOrigin.length > 0 && { allowed_cors_origins: options.corsOrigin }),
      ...ownerIn(options),
      ...(options.risk && { risk: options.risk }),
      ...(options.firstParty && { first_party: true }),
      ...(options.idTokenAlg && { id_token_signed_response_alg: options.idTokenAlg }),
      ...(!options.claimsInIdToken && { claims_in_id_token: false }),
    },
    createOptions,
  );
  const { client_secret } = await createClient(deps, actor, input);
  const shown = client_secret ? [`Secret, shown only this once: ${client_secret}`] : [];
  answer(options, { client_id, type: options.type, ...(client_secret && { client_secret }) }, [
    `Created client ${client_id}.`,
    ...shown,
  ]);
}

function ownerIn({ ownerUser: user, ownerClient: client_id }: CreateOptions) {
  if (user !== undefined && client_id !== undefined)
    throw invalid('/owner', 'Name one owner: --owner-user or --owner-client.');
  if (user !== undefined) return { owner: { user } };
  return client_id === undefined ? {} : { owner: { client_id } };
}

function resourceOption(text: string): [string, string[]] {
  const at = text.lastIndexOf('=');
  return [
    at < 0 ? text : text.slice(0, at),
    at < 0
      ? []
      : text
          .slice(at + 1)
          .split(/[ ,]+/)
          .filter(Boolean),
  ];
}

async function list({ deps }: Workplace, options: { json?: boolean }): Promise<void> {
  const clients = await listEveryClient(deps.db);
  const rows = clients.map((client) => [
    client.client_id,
    client.type,
    client.enabled ? 'enabled' : 'disabled',
    nameOf(client),
  ]);
  const none = ['There is no client yet: latchkey client create --help'];
  answer(options, { clients: clients.map(viewOf) }, clients.length > 0 ? columns(rows) : none);
}

function viewOf({
  client_id,
  type,
  enabled,
  first_party,
  claims_in_id_token,
  created_at,
  metadata,
  ...client
}: Client) {
  const { resources, service_permissions, introspects, lifetimes, owner, risk } = client;
  const may = { owner, risk, resources, service_permissions, introspects, lifetimes };
  return { client_id, type, enabled, first_party, claims_in_id_token, created_at, ...metadata, ...may };
}

function nameOf({ metadata }: Client): string {
  return typeof metadata.client_name === 'string' ? metadata.client_name : '';
}

async function disable(
  { deps, actor }: Workplace,
  client_id: string,
  options: { json?: boolean; yes?: boolean },
): Promise<void> {
  const client = await findClient(deps.db, client_id);
  if (!client) throw notFound('client', client_id);
  const live = await countLiveTokens(deps.db, { client_id: client.id }, deps.now());
  const question = `Disable ${client_id}? It can no longer authenticate; ends ${live.refresh_families} refresh tokens and ${live.access_tokens} access tokens.`;
  const isDone = await isConfirmed(question, { ...options, scripts: 'go on' });
  if (isDone) await disableClient(deps, actor, client_id);
  answer(options, { client_id, disabled: isDone, ended: isDone ? live : null }, [
    isDone ? `Disabled ${client_id}.` : 'Nothing changed.',
  ]);
}

async function addSecret({ deps, actor }: Workplace, client_id: string, options: SecretOptions): Promise<void> {
  const days =
    options.expiresInDays === undefined ? undefined : parsed(Days, options.expiresInDays, '--expires-in-days');
  const expires_at = days === undefined ? undefined : new Date(deps.now().getTime() + days * 86_400_000);
  const given = parsed(
    ClientInput.shape.client_secret,
    options.secretStdin ? await readSecret('Secret: ') : undefined,
    '--secret-stdin',
  );
  const label = parsed(SecretInput.shape.label, options.label, '--label');
  const made = await addClientSecret(deps, actor, { client_id, label, expires_at, given });
  const { client_secret, number, last_four } = made;
  const shown = given === undefined ? [`Secret, shown only this once: ${client_secret}`] : [];
  const answered = { client_id, number, last_four, expires_at: made.expires_at };
  const secret = given === undefined ? { client_secret } : {};
  answer(options, { ...answered, ...secret }, [
    `Added secret ${number} to ${client_id}; the others still work.`,
    ...shown,
  ]);
}
