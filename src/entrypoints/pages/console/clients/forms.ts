import { defaultSigningAlg } from '../../../../domain/signing-keys/index.ts';
import * as cell from '../../records/cells.ts';
import { linesIn } from '../../records/form-input.ts';
import type { Fact, Field, Option } from '../../records/page-shapes.ts';
import { rightsLinesIn, rightsPerApiIn } from '../../records/rights-lines.ts';
import type { Action, FormInput } from '../actions.ts';
import { clientSuggestions, listedApis, scopeOptions, userSuggestions } from '../pickers.ts';
import type { RequestContext } from '../request-context.ts';
import { narrowingField, narrowingIn } from '../sign-in-methods.ts';
import { type Client, clientPath, frame } from './client.ts';
import {
  claimsField,
  clientRightsFields,
  corsField,
  nameField,
  ownerField,
  redirectsField,
  riskField,
  scopeField,
  signingAlgField,
} from './fields.ts';
import { madeSecret } from './secrets.ts';

const userGrants = ['authorization_code', 'refresh_token'];

/** What the registration of each type contains (RFC 7591 §2). */
const kinds: Record<string, { text: string; note: string; metadata: Record<string, unknown> }> = {
  web: { text: 'Web app', note: 'Runs on a server that keeps a secret', metadata: { grant_types: userGrants } },
  spa: {
    text: 'Single-page app',
    note: 'Runs in the browser, has no secret',
    metadata: { grant_types: userGrants, token_endpoint_auth_method: 'none' },
  },
  native: {
    text: 'Native app',
    note: 'Runs on a phone or computer, has no secret',
    metadata: { grant_types: userGrants, token_endpoint_auth_method: 'none', application_type: 'native' },
  },
  service: {
    text: 'Service',
    note: 'Gets tokens for itself, without a user',
    metadata: { grant_types: ['client_credentials'] },
  },
};

const clientPrefix = 'client:';

async function ownerSuggestions(context: RequestContext): Promise<string[]> {
  const [users, clients] = await Promise.all([userSuggestions(context), clientSuggestions(context)]);
  return [...users, ...clients.map((id) => clientPrefix + id)];
}

function ownerText({ owner }: Client): string {
  if (!owner) return '';
  return 'user' in owner ? owner.user : clientPrefix + owner.client_id;
}

function responsibleIn(sent: FormInput): Record<string, unknown> {
  const owner = sent.text('owner');
  const named = owner?.startsWith(clientPrefix) ? { client_id: owner.slice(clientPrefix.length) } : { user: owner };
  return { ...(owner && { owner: named }), ...(sent.text('risk') && { risk: sent.text('risk') }) };
}

const advanced = (fields: readonly Field[]): Field[] => fields.map((field) => ({ ...field, group: 'Advanced' }));

const creating: Action = {
  path: '/new-client',
  route: 'POST /clients',
  describe: async (context) => ({
    crumb: context.crumb,
    heading: 'Register client',
    name: '',
    words: ['If its type uses a secret, the secret is shown once, on the next page.'],
    impact: [],
    fields: [
      {
        name: 'kind',
        label: 'Type',
        type: 'radios',
        value: 'web',
        options: Object.entries(kinds).map(([value, { text, note }]) => ({ value, text, note })),
      },
      {
        name: 'client_id',
        label: 'Client ID',
        type: 'text',
        value: '',
        is_required: true,
        hint: 'For example, billing-service. You cannot change it later.',
      },
      nameField(),
      redirectsField(),
      ...clientRightsFields('rights', 'Permissions at APIs', {
        options: scopeOptions(await listedApis(context)),
        rights: {},
      }),
      ...advanced([
        scopeField('openid profile email'),
        corsField(),
        claimsField(true),
        signingAlgField(defaultSigningAlg),
        narrowingField(undefined, 'the client'),
        ownerField('', await ownerSuggestions(context)),
        riskField(),
      ]),
    ],
    button: 'Register client',
    danger: false,
    back: '/console/clients',
  }),
  perform: async (context, sent) => {
    const created = await context.api.call('POST /clients', { body: registrationIn(sent) });
    const { client_secret: secret, ...client } = created;
    if (secret === undefined) return { to: clientPath(client.client_id), done: 'registered' };
    return madeSecret(context, client, { secret, words: [] });
  },
};

function registrationIn(sent: FormInput): Record<string, unknown> {
  const kind = sent.text('kind') ?? '';
  const isService = kind === 'service';
  const rights = rightsPerApiIn(rightsLinesIn(sent, 'rights'), 'rights');
  const redirect_uris = linesIn(sent.text('redirect_uris'));
  const allowed_cors_origins = linesIn(sent.text('allowed_cors_origins'));
  return {
    client_id: sent.text('client_id') ?? '',
    ...(sent.text('client_name') && { client_name: sent.text('client_name') }),
    ...(Object.hasOwn(kinds, kind) ? kinds[kind]?.metadata : {}),
    ...responsibleIn(sent),
    ...(redirect_uris.length > 0 && { redirect_uris }),
    ...(allowed_cors_origins.length > 0 && { allowed_cors_origins }),
    ...(isService
      ? { service_permissions: rights }
      : {
          scope: sent.text('scope') ?? 'openid',
          resources: rights,
          allowed_factors: narrowingIn(sent),
          ...claimsIn(sent),
          ...signingAlgIn(sent),
        }),
  };
}

function signingAlgIn(sent: FormInput): Record<string, unknown> {
  const alg = sent.text('id_token_signed_response_alg');
  return alg ? { id_token_signed_response_alg: alg } : {};
}

/** A form of an earlier version does not send it: then it is unchanged. */
function claimsIn(sent: FormInput): { claims_in_id_token?: boolean } {
  const chosen = sent.text('claims_in_id_token');
  return chosen === undefined ? {} : { claims_in_id_token: chosen === 'true' };
}

const texts = (value: unknown) => (Array.isArray(value) ? value.map(String) : []);
const actsForItself = ({ grant_types }: Client) => texts(grant_types).includes('client_credentials');

const changing: Action = {
  path: '/clients/:client_id/change',
  route: 'PATCH /clients/{client_id}',
  describe: async (context) => {
    const { client, ...framed } = await frame(context);
    const suggestions = await ownerSuggestions(context);
    const fields = fieldsOf(client, { options: scopeOptions(await listedApis(context)), suggestions });
    return {
      ...framed,
      heading: `Edit ${framed.name}`,
      words: ['Changes apply from the next request. Tokens that were issued keep only what the client may still have.'],
      impact: [],
      fields,
      button: 'Save client',
      danger: false,
      version: client.version,
      present: fields.map(({ label, value }): Fact => ({ label, cell: cell.codes(linesIn(value)) })),
    };
  },
  perform: async (context, sent) => {
    const { client } = await frame(context);
    const { client_id } = client;
    await context.api.call('PATCH /clients/{client_id}', {
      params: { client_id },
      body: changesIn(sent, client),
      ifVersion: sent.version,
    });
    return { to: clientPath(client_id), done: 'saved' };
  },
};

type Choices = { options: readonly Option[]; suggestions: readonly string[] };

function fieldsOf(client: Client, { options, suggestions }: Choices): Field[] {
  const { client_name, redirect_uris, resources, service_permissions } = client;
  const forUsers = client.type !== 'service';
  return [
    nameField(typeof client_name === 'string' ? client_name : ''),
    ...(forUsers ? [redirectsField(texts(redirect_uris).join('\n'))] : []),
    ...(forUsers
      ? clientRightsFields('resources', 'Permissions on behalf of users', { options, rights: resources })
      : []),
    ...(actsForItself(client)
      ? clientRightsFields('service_permissions', 'Permissions for itself', { options, rights: service_permissions })
      : []),
    ...advanced([
      ...(forUsers ? userFields(client) : []),
      ownerField(ownerText(client), suggestions),
      riskField(client.risk),
    ]),
  ];
}

function userFields({
  allowed_cors_origins,
  allowed_factors,
  claims_in_id_token,
  id_token_signed_response_alg,
  scope,
}: Client): Field[] {
  return [
    scopeField(typeof scope === 'string' ? scope : ''),
    corsField(texts(allowed_cors_origins).join('\n')),
    claimsField(claims_in_id_token),
    signingAlgField(String(id_token_signed_response_alg)),
    narrowingField(allowed_factors, 'the client'),
  ];
}

function changesIn(sent: FormInput, client: Client): Record<string, unknown> {
  const rights = (field: 'resources' | 'service_permissions') => ({
    // A merge patch removes only what it names (RFC 7396).
    ...Object.fromEntries(Object.keys(client[field]).map((api) => [api, null])),
    ...rightsPerApiIn(rightsLinesIn(sent, field), field),
  });
  return {
    client_name: sent.text('client_name') ?? null,
    ...{ owner: null, risk: null, ...responsibleIn(sent) },
    ...(client.type !== 'service' && {
      redirect_uris: linesIn(sent.text('redirect_uris')),
      allowed_cors_origins: linesOrNull(sent.text('allowed_cors_origins')),
      scope: sent.text('scope') ?? null,
      resources: rights('resources'),
      allowed_factors: narrowingIn(sent) ?? null,
      ...signingAlgIn(sent),
      ...claimsIn(sent),
    }),
    ...(actsForItself(client) && { service_permissions: rights('service_permissions') }),
  };
}

/** An empty list is stored as no member at all (RFC 7396 §2). */
function linesOrNull(text: string | undefined): string[] | null {
  const lines = linesIn(text);
  return lines.length > 0 ? lines : null;
}

/** Registering a client, and changing its registration. */
export const clientForms: Action[] = [creating, changing];
